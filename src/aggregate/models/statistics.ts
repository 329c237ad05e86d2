// What a linear fit needs of the data: sums about one centre, from one pass. They add up over bags, so folds can be taken out of totals.

import { type RunOptions, yieldToEventLoop } from '../../core/progress.ts';
import { type Kernels, loadKernels } from '../../kernels/index.ts';
import type { AggregateData } from '../types.ts';
import { GramBuffer } from './gram-buffer.ts';

/** Σ u, Σ u·z̄ and Σ u·z̄z̄ᵀ over bags, z̄ the bag's mean features minus the centre. */
export interface Scatter {
  weight: number;
  sum: Float64Array;
  outer: Float64Array;
}

/** Sums over bags with weights w; z = x − centre, ý = ȳ − level. */
export interface LinearStatistics {
  /** Number of bags, m. */
  bags: number;
  /** Number of samples in bags. */
  samples: number;
  /** Subtracted from all features, shape (d,): any point near their mean keeps the digits of data far from 0. */
  center: Float64Array;
  /** Subtracted from all means. */
  level: number;
  /** u = w: G = Σ w·z̄z̄ᵀ. */
  between: Scatter;
  /** W = Σ_a (w_a/k_a) Σ_i (x_i − x̄_a)(x_i − x̄_a)ᵀ, shape (d, d). */
  within: Float64Array;
  /** Σ w·z̄·ý, shape (d,). */
  cross: Float64Array;
  /** Σ w·ý and Σ w·ý². */
  response: number;
  responseSquares: number;
  /** u = w²/k: covariance of Σ w·z̄·ȳ by a unit variance of single responses. The same object as `between` under size weights. */
  sampling: Scatter;
  /** u = w²·v: the same by the privacy noise. */
  noise: Scatter;
  /** Kernels that added up, e.g. "native avx512". */
  backend: string;
  /** Σ w/k and Σ w·v. */
  samplingWeight: number;
  noiseWeight: number;
}

/** Features read between two visits to the event loop: about 20 ms. */
const STEP = 5e6;

export interface StatisticsOptions extends RunOptions {
  /** Group of each bag, < groups, shape (bags,). Default: one group. */
  groupOf?: Int32Array;
  groups?: number;
  /** Take sums about the means (for a fit with an intercept) or about 0. */
  centered: boolean;
}

/**
 * Statistics of each group of bags, all about the same centre, from one pass over the features.
 *
 * @param weights - w, shape (bags,)
 *
 * Time O(n d²), memory O(groups · d²).
 */
export async function collectStatistics(
  data: AggregateData,
  weights: Float64Array,
  { groupOf, groups = 1, centered, signal, onProgress }: StatisticsOptions,
): Promise<LinearStatistics[]> {
  const { features, bags, means, noiseVariance } = data;
  const { offsets, members } = bags;
  const d = features.cols;
  const count = offsets.length - 1;
  const kernels = await loadKernels();
  const center = centered ? await columnMeans(kernels, data) : new Float64Array(d);
  const level = centered ? weightedMean(means, weights) : 0;
  const bySize = weights.every((w, a) => w === offsets[a + 1] - offsets[a]);
  const accumulators = Array.from(
    { length: groups },
    () => new Accumulator(kernels, center, level, bySize, noiseVariance !== undefined),
  );

  const rows = new Float64Array(d);
  const mean = new Float64Array(d);
  let work = 0;
  for (let a = 0; a < count; a++) {
    const size = offsets[a + 1] - offsets[a];
    const into = accumulators[groupOf ? groupOf[a] : 0];
    mean.fill(0);
    for (let i = offsets[a]; i < offsets[a + 1]; i++) {
      const start = members[i] * d;
      for (let j = 0; j < d; j++) mean[j] += features.data[start + j] - center[j];
    }
    for (let j = 0; j < d; j++) mean[j] /= size;
    into.addBag(mean, means[a], size, weights[a], noiseVariance ? noiseVariance[a] : 0);
    if (size > 1) {
      for (let i = offsets[a]; i < offsets[a + 1]; i++) {
        const start = members[i] * d;
        for (let j = 0; j < d; j++) rows[j] = features.data[start + j] - center[j] - mean[j];
        into.within.add(rows, 0, weights[a] / size);
      }
    }
    if (into.full) await into.flush();
    work += (size + 1) * d;
    if (work > STEP) {
      work = 0;
      signal?.throwIfAborted();
      onProgress?.({ phase: 'sums over bags', done: a + 1, total: count });
      await yieldToEventLoop();
    }
  }
  signal?.throwIfAborted();
  return Promise.all(accumulators.map((accumulator) => accumulator.finish()));
}

/** total + sign · part, entry by entry; the centres are the same. */
export function combineStatistics(
  total: LinearStatistics,
  part: LinearStatistics,
  sign: 1 | -1,
): LinearStatistics {
  const sum = (a: Float64Array, b: Float64Array): Float64Array => a.map((x, i) => x + sign * b[i]);
  const scatter = (a: Scatter, b: Scatter): Scatter => ({
    weight: a.weight + sign * b.weight,
    sum: sum(a.sum, b.sum),
    outer: sum(a.outer, b.outer),
  });
  const between = scatter(total.between, part.between);
  return {
    bags: total.bags + sign * part.bags,
    samples: total.samples + sign * part.samples,
    center: total.center,
    level: total.level,
    backend: total.backend,
    between,
    within: sum(total.within, part.within),
    cross: sum(total.cross, part.cross),
    response: total.response + sign * part.response,
    responseSquares: total.responseSquares + sign * part.responseSquares,
    sampling: total.sampling === total.between ? between : scatter(total.sampling, part.sampling),
    noise: scatter(total.noise, part.noise),
    samplingWeight: total.samplingWeight + sign * part.samplingWeight,
    noiseWeight: total.noiseWeight + sign * part.noiseWeight,
  };
}

/** Σ u·(z̄ − δ)(z̄ − δ)ᵀ from a scatter, shape (d, d). */
export function scatterAbout({ weight, sum, outer }: Scatter, delta: Float64Array): Float64Array {
  const d = delta.length;
  const about = outer.slice();
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < d; j++) {
      about[i * d + j] += weight * delta[i] * delta[j] - sum[i] * delta[j] - delta[i] * sum[j];
    }
  }
  return about;
}

class ScatterSum {
  private weight = 0;
  private readonly sum: Float64Array;
  readonly rows: GramBuffer;

  constructor(kernels: Kernels, d: number) {
    this.sum = new Float64Array(d);
    this.rows = new GramBuffer(kernels, d);
  }

  add(mean: Float64Array, weight: number): void {
    if (weight === 0) return;
    this.weight += weight;
    for (let j = 0; j < mean.length; j++) this.sum[j] += weight * mean[j];
    this.rows.add(mean, 0, weight);
  }

  async finish(): Promise<Scatter> {
    return { weight: this.weight, sum: this.sum, outer: await this.rows.total() };
  }
}

class Accumulator {
  readonly within: GramBuffer;
  private readonly kernels: Kernels;
  private readonly center: Float64Array;
  private readonly level: number;
  private readonly between: ScatterSum;
  private readonly sampling: ScatterSum | undefined;
  private readonly noise: ScatterSum | undefined;
  private readonly cross: Float64Array;
  private bags = 0;
  private samples = 0;
  private response = 0;
  private responseSquares = 0;
  private samplingWeight = 0;
  private noiseWeight = 0;

  constructor(kernels: Kernels, center: Float64Array, level: number, bySize: boolean, noisy: boolean) {
    const d = center.length;
    this.kernels = kernels;
    this.center = center;
    this.level = level;
    this.within = new GramBuffer(kernels, d);
    this.between = new ScatterSum(kernels, d);
    this.sampling = bySize ? undefined : new ScatterSum(kernels, d);
    this.noise = noisy ? new ScatterSum(kernels, d) : undefined;
    this.cross = new Float64Array(d);
  }

  addBag(mean: Float64Array, response: number, size: number, weight: number, variance: number): void {
    const y = response - this.level;
    this.bags++;
    this.samples += size;
    this.between.add(mean, weight);
    this.sampling?.add(mean, weight ** 2 / size);
    this.noise?.add(mean, weight ** 2 * variance);
    for (let j = 0; j < mean.length; j++) this.cross[j] += weight * mean[j] * y;
    this.response += weight * y;
    this.responseSquares += weight * y * y;
    this.samplingWeight += weight / size;
    this.noiseWeight += weight * variance;
  }

  get full(): boolean {
    return this.within.full || this.between.rows.full;
  }

  async flush(): Promise<void> {
    await this.within.flush();
    for (const scatter of [this.between, this.sampling, this.noise]) await scatter?.rows.flush();
  }

  async finish(): Promise<LinearStatistics> {
    const d = this.center.length;
    const between = await this.between.finish();
    return {
      bags: this.bags,
      samples: this.samples,
      center: this.center,
      level: this.level,
      backend: `${this.kernels.backend} ${this.kernels.simd}`,
      between,
      within: await this.within.total(),
      cross: this.cross,
      response: this.response,
      responseSquares: this.responseSquares,
      sampling: this.sampling ? await this.sampling.finish() : between,
      noise: this.noise
        ? await this.noise.finish()
        : { weight: 0, sum: new Float64Array(d), outer: new Float64Array(d * d) },
      samplingWeight: this.samplingWeight,
      noiseWeight: this.noiseWeight,
    };
  }
}

/** Mean features of the samples in bags, shape (d,). O(n d). */
export async function columnMeans(
  kernels: Kernels,
  { features, bags }: AggregateData,
): Promise<Float64Array> {
  const { data, cols } = features;
  const count = bags.members.length;
  const sums = new Float64Array(cols);
  const weights = new Float64Array(count).fill(1 / count);
  await kernels.rowMoments({ features: data, cols, rows: bags.members, count, weights, sums });
  return sums;
}

function weightedMean(values: Float64Array, weights: Float64Array): number {
  let sum = 0;
  let weight = 0;
  for (let a = 0; a < values.length; a++) {
    sum += weights[a] * values[a];
    weight += weights[a];
  }
  return sum / weight;
}
