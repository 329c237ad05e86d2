// From the relaxation's whole choices to a good single choice a bucket: what is left of the limit is spent greedily.

import type { Choices } from './choices.ts';
import { type Goal, isWithin } from './goal.ts';

/**
 * Moves one bucket at a time to the choice that gains most within the limits, until none gains.
 *
 * @param picked - a feasible choice a bucket, shape (K,); changed in place
 * @returns its Σ gain and Σ cost. O(choices) a move
 */
export function topUp(choices: Choices, goal: Goal, picked: Int32Array): { gain: number; cost: number } {
  const { offsets, gain, cost } = choices;
  for (;;) {
    const sum = sumOf(choices, picked);
    let best = -1;
    let bestBucket = -1;
    let bestMore = 0;
    for (let k = 0; k < picked.length; k++) {
      const restGain = sum.gain - gain[picked[k]];
      const restCost = sum.cost - cost[picked[k]];
      // Gains ascend: what gains less than the best move so far is not looked at.
      for (let a = offsets[k + 1] - 1; a > picked[k]; a--) {
        const more = gain[a] - gain[picked[k]];
        if (more <= bestMore) break;
        if (!isWithin(goal, restGain + gain[a], restCost + cost[a])) continue;
        best = a;
        bestBucket = k;
        bestMore = more;
        break;
      }
    }
    // A gain that rounding swallows would move for ever.
    if (best < 0 || sum.gain + bestMore <= sum.gain) return sum;
    picked[bestBucket] = best;
  }
}

/** Σ gain and Σ cost of a choice a bucket, in the order of the buckets. */
export function sumOf({ gain, cost }: Choices, picked: Int32Array): { gain: number; cost: number } {
  const sum = { gain: 0, cost: 0 };
  for (const a of picked) {
    sum.gain += gain[a];
    sum.cost += cost[a];
  }
  return sum;
}
