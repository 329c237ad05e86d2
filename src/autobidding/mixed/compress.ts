// From histograms of play to strategies of a few rows.

import { type Rng, shuffle } from '../../core/rng.ts';
import type { MixedProfile, MixedStrategy, Setting } from '../types.ts';
import type { AveragePlay } from './fictitious-play.ts';

/**
 * Strategies of `support` equally likely rows: in each bucket the middles of as many quantiles of the average play.
 *
 * Quantiles of different buckets are matched at random, so that a row's total is close to the mean of all.
 */
export function compressPlay(setting: Setting, play: AveragePlay, support: number, rng: Rng): MixedProfile {
  const { market, buckets } = setting;
  const entriesIn = new Uint8Array(market.advertisers * buckets.count);
  for (const [e, advertiser] of market.advertiserOf.entries()) {
    entriesIn[advertiser * buckets.count + buckets.ofEntry[e]] = 1;
  }
  return Array.from({ length: market.advertisers }, (_, i): MixedStrategy => {
    const multipliers = new Float64Array(support * buckets.count);
    for (let k = 0; k < buckets.count; k++) {
      const cell = i * buckets.count + k;
      const middles = entriesIn[cell]
        ? quantileMiddles(play, cell, support)
        : new Float64Array(support).fill(NaN);
      shuffle(middles, rng.fork(cell));
      for (let row = 0; row < support; row++) multipliers[row * buckets.count + k] = middles[row];
    }
    return { weights: new Float64Array(support).fill(1 / support), multipliers };
  });
}

/** Multipliers at probabilities (r + ½) / count, ascending; a bin's share is spread evenly over its width. */
function quantileMiddles({ curves, shares, idle }: AveragePlay, cell: number, count: number): Float64Array {
  const middles = new Float64Array(count);
  const cap = Math.exp(curves.edge(curves.bins - 1));
  const total = shares
    .subarray(cell * curves.bins, (cell + 1) * curves.bins)
    .reduce((sum, share) => sum + share, idle[cell]);
  let bin = -1;
  let before = 0;
  let after = idle[cell];
  for (let row = 0; row < count; row++) {
    const level = ((row + 0.5) / count) * total;
    while (after < level && bin < curves.bins - 1) {
      before = after;
      after += shares[cell * curves.bins + ++bin];
    }
    if (bin < 0) continue; // no bid
    const within = after > before ? (level - before) / (after - before) : 0.5;
    middles[row] = Math.min(cap, Math.exp(curves.edge(bin) + (Math.min(1, within) - 0.5) * curves.width));
  }
  return middles;
}
