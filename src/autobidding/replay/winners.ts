// Winners and losers: who gets more and who less, said of all advertisers at once.

import { studentTQuantile } from '../../core/statistics/index.ts';
import { FEW_DRAWS, quantileOf, stretchOf } from './bootstrap.ts';

/** `no participant`: it has no entry in the log. */
export type AdvertiserVerdict = 'wins' | 'loses' | 'not separated' | 'no participant';

export interface WinnersOptions {
  /** Draws that `resampled` holds. */
  resamples: number;
  groups: number;
  confidence: number;
}

/**
 * How far each estimate may be off, for all of them together.
 *
 * c · (standard error of each), with c the quantile of max |deviation ÷ standard error| over all estimates on the resamples: with the
 * confidence asked for, no estimate at all is off by more. One interval each would name a wrong winner among every twenty.
 * Below 200 resamples, where that quantile is not to be had, Bonferroni's: Student's quantile of a tail divided by the number of estimates.
 * Source: the max-t method, e.g. Romano, Wolf, Econometrica 73 (2005); stretched for few groups as single intervals are.
 *
 * @param estimates - shape (count,)
 * @param resampled - of each estimate on each resample, shape (resamples, count), row-major
 * @returns half-widths, shape (count,); Infinity for a single group; 0 where an estimate never varies
 */
export function simultaneousHalfWidths(
  estimates: Float64Array,
  resampled: Float64Array,
  { resamples, groups, confidence }: WinnersOptions,
): Float64Array {
  const count = estimates.length;
  const errors = new Float64Array(count);
  for (let r = 0; r < resamples; r++) {
    for (let i = 0; i < count; i++) errors[i] += (resampled[r * count + i] - estimates[i]) ** 2 / resamples;
  }
  for (let i = 0; i < count; i++) errors[i] = Math.sqrt(errors[i]);
  if (groups < 2) return new Float64Array(count).fill(Infinity);
  const tail = (1 - confidence) / 2;
  if (resamples < FEW_DRAWS) {
    const factor = studentTQuantile(tail / count, resamples - 1, 'upper');
    return errors.map((error) => factor * error);
  }
  const largest = new Float64Array(resamples);
  for (let r = 0; r < resamples; r++) {
    for (let i = 0; i < count; i++) {
      if (errors[i] === 0) continue;
      largest[r] = Math.max(largest[r], Math.abs(resampled[r * count + i] - estimates[i]) / errors[i]);
    }
  }
  const factor = quantileOf(largest.sort(), confidence) * stretchOf(groups, tail);
  return errors.map((error) => factor * error);
}

/** @param regret - what the advertiser could still gain by deviating, in the unit of `gain` */
export function advertiserVerdict(gain: number, halfWidth: number, regret: number): AdvertiserVerdict {
  if (!(Math.abs(gain) > Math.max(halfWidth, regret))) return 'not separated';
  return gain > 0 ? 'wins' : 'loses';
}
