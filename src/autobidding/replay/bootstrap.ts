// Bootstrap over groups of auctions: what a sum would have been, had other auctions been drawn.

import { requireInteger, requireProbability } from '../../core/check.ts';
import { InvalidArgumentError, ShapeError } from '../../core/errors.ts';
import { type RunOptions, yieldToEventLoop } from '../../core/progress.ts';
import { createRng } from '../../core/rng.ts';
import { type Interval, normalQuantile, studentTQuantile, summarize } from '../../core/statistics/index.ts';

/** Sums over groups of auctions, one row a group: shape (groups, width), row-major. */
export interface GroupSums {
  readonly groups: number;
  readonly width: number;
  readonly data: Float64Array;
}

export interface ResampleOptions extends RunOptions {
  /** Draws of as many groups as there are, ≥ 1. */
  resamples: number;
  /** Unsigned 32-bit integer. */
  seed: number;
}

/**
 * Column sums over `groups` groups drawn with replacement, `resamples` times: the same groups for all columns, so that columns of two
 * worlds are paired.
 *
 * @returns shape (resamples, width), row-major; resample r depends on (seed, r) alone
 *
 * Time O(resamples · groups · width). Checks `signal` at every resample.
 */
export async function resampleSums(
  { groups, width, data }: GroupSums,
  { resamples, seed, signal, onProgress }: ResampleOptions,
): Promise<Float64Array> {
  requireInteger('resampleSums: resamples', resamples, 1);
  requireInteger('resampleSums: groups', groups, 1);
  if (data.length !== groups * width) {
    throw new ShapeError(
      `resampleSums: data has ${data.length} entries; expected ${groups} groups × ${width} columns.`,
    );
  }
  const sums = new Float64Array(resamples * width);
  const counts = new Uint32Array(groups);
  const stream = createRng(seed).fork('bootstrap');
  let sinceYield = 0;
  for (let r = 0; r < resamples; r++) {
    drawCounts(counts, stream.fork(r));
    const out = sums.subarray(r * width, (r + 1) * width);
    for (let g = 0; g < groups; g++) {
      const count = counts[g];
      if (count === 0) continue;
      const row = g * width;
      for (let c = 0; c < width; c++) out[c] += count * data[row + c];
    }
    sinceYield += groups * (width + 8);
    if (sinceYield > 4e6) {
      sinceYield = 0;
      onProgress?.({ phase: 'bootstrap over auctions', done: r + 1, total: resamples });
      await yieldToEventLoop();
      signal?.throwIfAborted();
    }
  }
  return sums;
}

/** How often each of counts.length groups comes in as many draws with replacement: multinomial. */
export function drawCounts(counts: Uint32Array, rng: { integer(n: number): number }): void {
  counts.fill(0);
  const groups = counts.length;
  for (let i = 0; i < groups; i++) counts[rng.integer(groups)]++;
}

/** Fewer values than these have no percentiles to speak of. */
export const FEW_DRAWS = 200;

/**
 * Interval of a statistic from its values on resamples: percentiles, widened for few groups.
 *
 * Deviations of the percentiles from the estimate are stretched by √(G / (G − 1)) · t / z with t and z the quantiles of Student's
 * distribution of G − 1 degrees of freedom and of the normal one: percentiles of few groups are too narrow by about that. Below 200 resamples:
 * estimate ± t · (their standard deviation) instead, t of resamples − 1 degrees of freedom.
 * Source: T. Hesterberg, arXiv 1411.5279 (the expanded percentile interval, there by other percentiles); the stretch is ours.
 *
 * @param estimate - the statistic of the sample itself
 * @param values - of each resample, shape (resamples ≥ 2,)
 * @param groups - that were drawn from, ≥ 1; of one group nothing is known: all numbers
 */
export function bootstrapInterval(
  estimate: number,
  values: Float64Array,
  { groups, confidence }: { groups: number; confidence: number },
): Interval {
  requireProbability('bootstrapInterval: confidence', confidence);
  if (values.some(Number.isNaN)) {
    throw new InvalidArgumentError(
      'bootstrapInterval: a value is NaN; expected numbers. Leave the statistic out.',
    );
  }
  if (groups < 2) return { low: -Infinity, high: Infinity, confidence };
  const tail = (1 - confidence) / 2;
  if (values.length < FEW_DRAWS) {
    const error = Math.sqrt((summarize(values).variance * groups) / (groups - 1));
    const halfWidth = studentTQuantile(tail, values.length - 1, 'upper') * error;
    return { low: estimate - halfWidth, high: estimate + halfWidth, confidence };
  }
  const sorted = values.toSorted();
  const stretch = stretchOf(groups, tail);
  const end = (share: number): number => estimate + stretch * (quantileOf(sorted, share) - estimate);
  return { low: end(tail), high: end(1 - tail), confidence };
}

/** √(G / (G − 1)) · t / z: what percentiles of G groups are too narrow by. */
export function stretchOf(groups: number, tail: number): number {
  const t = studentTQuantile(tail, groups - 1, 'upper');
  return (Math.sqrt(groups / (groups - 1)) * t) / normalQuantile(tail, 'upper');
}

/** Quantile of ascending values, between neighbours by a straight line. */
export function quantileOf(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  const low = Math.floor(place);
  const high = Math.min(sorted.length - 1, low + 1);
  if (sorted[low] === sorted[high]) return sorted[low]; // also ±∞, whose difference is NaN
  return sorted[low] + (place - low) * (sorted[high] - sorted[low]);
}
