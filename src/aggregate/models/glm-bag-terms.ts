// The interpolating loss of a generalised linear model, bag by bag.

import { yieldToEventLoop } from '../../core/progress.ts';
import type { Evaluation, EvaluationOptions, GlmProblem } from './glm-problem.ts';
import { GramBuffer } from './gram-buffer.ts';

/** Features read between two visits to the event loop: about 20 ms. */
const STEP = 4e6;

/** Sums over bags without the ridge. */
export async function evaluateByBag(
  problem: GlmProblem,
  parameters: Float64Array,
  { hessian = false, scores = false, signal }: EvaluationOptions,
): Promise<Evaluation> {
  const { kernels, data, bags } = problem;
  const { offsets } = data.bags;
  const d = data.features.cols;
  const sums = new BagTerms(problem, parameters, hessian);
  const products = scores ? new GramBuffer(kernels, d + 1) : undefined;
  const gradient = products ? new Float64Array(d + 1) : sums.slope;
  let value = 0;
  let work = 0;
  for (const a of bags) {
    value += sums.add(a);
    if (products) {
      products.add(sums.slope, 0, 1);
      for (let j = 0; j <= d; j++) gradient[j] += sums.slope[j];
      sums.slope.fill(0);
    }
    if (products?.full) await products.flush();
    if (sums.curvature?.full) await sums.curvature.flush();
    work += (offsets[a + 1] - offsets[a] + 1) * d;
    if (work > STEP) {
      work = 0;
      signal?.throwIfAborted();
      await yieldToEventLoop();
    }
  }
  signal?.throwIfAborted();
  return { value, gradient, hessian: await sums.curvature?.total(), scores: await products?.total() };
}

/** Adds up bags: values as they come, gradients in `slope`, Hessians in `curvature`. */
class BagTerms {
  readonly slope: Float64Array;
  readonly curvature: GramBuffer | undefined;
  private readonly problem: GlmProblem;
  private readonly parameters: Float64Array;
  private readonly d: number;
  /** Rows (1, x − centre) of the bag's members, and their η. */
  private rows: Float64Array;
  private etas: Float64Array;
  private readonly direction: Float64Array;
  private readonly terms: Float64Array = new Float64Array(3);

  constructor(problem: GlmProblem, parameters: Float64Array, hessian: boolean) {
    this.problem = problem;
    this.parameters = parameters;
    this.d = problem.data.features.cols;
    this.slope = new Float64Array(this.d + 1);
    this.direction = new Float64Array(this.d + 1);
    this.curvature = hessian ? new GramBuffer(problem.kernels, this.d + 1) : undefined;
    this.rows = new Float64Array(0);
    this.etas = new Float64Array(0);
  }

  /** @returns the weighted loss of bag a */
  add(a: number): number {
    const { rho } = this.problem;
    const size = this.load(a);
    let value = 0;
    if (rho !== 0) value += this.addInstances(a, size);
    if (rho !== 1) value += this.addBag(a, size);
    return value;
  }

  /** Fills rows and η of a bag. @returns its size */
  private load(a: number): number {
    const { data, center } = this.problem;
    const { offsets, members } = data.bags;
    const { parameters, d } = this;
    const size = offsets[a + 1] - offsets[a];
    const width = d + 1;
    if (this.etas.length < size) {
      this.etas = new Float64Array(size);
      this.rows = new Float64Array(size * width);
    }
    const { rows, etas } = this;
    const x = data.features.data;
    for (let i = 0; i < size; i++) {
      const from = members[offsets[a] + i] * d;
      const to = i * width;
      rows[to] = 1;
      let eta = parameters[0];
      for (let j = 0; j < d; j++) {
        const z = x[from + j] - center[j];
        rows[to + 1 + j] = z;
        eta += parameters[1 + j] * z;
      }
      etas[i] = eta;
    }
    return size;
  }

  private addInstances(a: number, size: number): number {
    const { loss, rho, targets, weights } = this.problem;
    const { rows, etas, slope, terms, curvature, d } = this;
    const width = d + 1;
    const share = (weights[a] * rho) / size;
    let value = 0;
    for (let i = 0; i < size; i++) {
      loss.terms(targets[a], etas[i], terms);
      value += share * terms[0];
      const s = share * terms[1];
      const start = i * width;
      for (let j = 0; j < width; j++) slope[j] += s * rows[start + j];
      curvature?.add(rows, start, share * terms[2]);
    }
    return value;
  }

  private addBag(a: number, size: number): number {
    const { loss, rho, targets, weights, aggregateIn } = this.problem;
    const { rows, etas, slope, direction, d } = this;
    const width = d + 1;
    const share = weights[a] * (1 - rho);
    const link = aggregateIn === 'link';
    // ∂(mean prediction)/∂parameters.
    direction.fill(0);
    let mean = 0;
    for (let i = 0; i < size; i++) {
      const s = (link ? 1 : loss.meanSlope(etas[i])) / size;
      mean += etas[i] / size;
      for (let j = 0; j < width; j++) direction[j] += s * rows[i * width + j];
    }
    const y = targets[a];
    const {
      value,
      slope: s,
      information,
    } = link
      ? { value: loss.value(y, mean), slope: loss.slope(y, mean), information: loss.curvature(mean) }
      : loss.ofMean(y, etas, size);
    for (let j = 0; j < width; j++) slope[j] += share * s * direction[j];
    this.curvature?.add(direction, 0, share * information);
    return share * value;
  }
}
