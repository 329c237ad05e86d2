// The instance-level loss of a generalised linear model: each sample against its bag's mean.

import { yieldToEventLoop } from '../../core/progress.ts';
import type { Evaluation, GlmProblem } from './glm-problem.ts';

/** Samples between two visits to the event loop: about 20 ms of exponentials. */
const STEP = 1 << 18;

export class InstanceTerms {
  private readonly problem: GlmProblem;
  /** Samples of the bags that count, in the order of memory, with the weight and target of each; undefined: all. */
  private readonly rows: Uint32Array | undefined;
  private readonly shares: Float64Array;
  private readonly targets: Float64Array;
  // Of each sample: prediction on the link scale, and derivatives of its loss.
  private readonly etas: Float64Array;
  private readonly slopes: Float64Array;
  private readonly curvatures: Float64Array;

  constructor(problem: GlmProblem) {
    const { data, bags, weights, targets } = problem;
    const { offsets, members } = data.bags;
    this.problem = problem;
    const bagOf = new Int32Array(data.bags.samples).fill(-1);
    let count = 0;
    for (const a of bags) {
      count += offsets[a + 1] - offsets[a];
      for (let i = offsets[a]; i < offsets[a + 1]; i++) bagOf[members[i]] = a;
    }
    this.rows = count === data.bags.samples ? undefined : new Uint32Array(count);
    this.shares = new Float64Array(count);
    this.targets = new Float64Array(count);
    this.etas = new Float64Array(count);
    this.slopes = new Float64Array(count);
    this.curvatures = new Float64Array(count);
    for (let sample = 0, at = 0; at < count; sample++) {
      const a = bagOf[sample];
      if (a < 0) continue;
      if (this.rows) this.rows[at] = sample;
      this.shares[at] = weights[a] / (offsets[a + 1] - offsets[a]);
      this.targets[at++] = targets[a];
    }
  }

  /** Σ (w/k) ℓ, its gradient and Hessian, without the ridge. */
  async at(parameters: Float64Array, hessian: boolean, signal: AbortSignal | undefined): Promise<Evaluation> {
    const { kernels, data, center } = this.problem;
    const { rows, etas, slopes, curvatures } = this;
    const cols = data.features.cols;
    const width = cols + 1;
    const given = { features: data.features.data, cols, rows, count: etas.length, center };
    const coefficients = parameters.subarray(1);
    await kernels.rowProducts({ ...given, coefficients, bias: parameters[0], out: etas });
    const [value, slope, curvature] = await this.differentiate(signal);
    const gradient = new Float64Array(width);
    gradient[0] = slope;
    await kernels.rowMoments({ ...given, weights: slopes, sums: gradient.subarray(1) });
    signal?.throwIfAborted();
    if (!hessian) return { value, gradient, hessian: undefined, scores: undefined };
    const sums = new Float64Array(cols);
    const gram = new Float64Array(cols * cols);
    await kernels.rowMoments({ ...given, weights: curvatures, sums, gram });
    signal?.throwIfAborted();
    const matrix = new Float64Array(width * width);
    matrix[0] = curvature;
    for (let j = 0; j < cols; j++) {
      matrix[1 + j] = matrix[(1 + j) * width] = sums[j];
      matrix.set(gram.subarray(j * cols, (j + 1) * cols), (1 + j) * width + 1);
    }
    return { value, gradient, hessian: matrix, scores: undefined };
  }

  /** Derivatives of each sample's loss. @returns the sums of values, slopes and curvatures */
  private async differentiate(signal: AbortSignal | undefined): Promise<[number, number, number]> {
    const { loss } = this.problem;
    const { etas, targets, shares, slopes, curvatures } = this;
    const terms = new Float64Array(3);
    let [value, slope, curvature] = [0, 0, 0];
    for (let start = 0; start < etas.length; start += STEP) {
      const end = Math.min(etas.length, start + STEP);
      for (let i = start; i < end; i++) {
        loss.terms(targets[i], etas[i], terms);
        const share = shares[i];
        value += share * terms[0];
        slopes[i] = share * terms[1];
        curvatures[i] = share * terms[2];
        slope += slopes[i];
        curvature += curvatures[i];
      }
      if (end === etas.length) break;
      signal?.throwIfAborted();
      await yieldToEventLoop();
    }
    return [value, slope, curvature];
  }
}
