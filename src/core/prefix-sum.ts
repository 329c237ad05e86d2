// Prefix sums of weights, and the search that turns a uniform number into an index drawn by weight.

import { type NumericArray, requireNonNegative, requireNumber } from './check.ts';
import { InvalidArgumentError } from './errors.ts';
import { CompensatedSum, compensatedSum } from './sums.ts';

/**
 * Running totals: entry i is w₀ + … + wᵢ.
 *
 * Each is the compensated sum up to there, never less than the one before, and equal to it where wᵢ = 0; the last equals
 * `compensatedSum(weights)` exactly.
 *
 * @param weights - shape (n,), finite and ≥ 0
 * @returns shape (n,), non-decreasing
 * @throws {InvalidArgumentError} an entry is negative, NaN or infinite. O(n)
 */
export function prefixSum(weights: NumericArray): Float64Array {
  requireNonNegative('prefixSum: weights', weights);
  const prefix = new Float64Array(weights.length);
  const sum = new CompensatedSum();
  const total = compensatedSum(weights);
  let last = 0;
  for (let i = 0; i < weights.length; i++) {
    // A compensated total may step back by a rounding. Adding 0 changes nothing: such an entry stays of width zero.
    last = Math.min(total, Math.max(last, sum.add(weights[i]).value));
    prefix[i] = last;
  }
  return prefix;
}

/**
 * The first index whose running total is above `target`: index i is found for targets in [prefix[i−1], prefix[i]).
 *
 * A target below 0 counts as 0, one at or above the total finds the last entry of positive width. So an entry of
 * weight 0 is never found, also when rounding made `target = u · total` equal to the total.
 *
 * @param prefix - of `prefixSum`, with a positive total
 * @throws {InvalidArgumentError} no entry has positive width, or `target` is not finite. O(log n)
 */
export function searchPrefix(prefix: NumericArray, target: number): number {
  requireNumber('searchPrefix: target', target);
  const total = prefix.length > 0 ? prefix[prefix.length - 1] : 0;
  if (!(total > 0)) {
    throw new InvalidArgumentError(
      `searchPrefix: the total weight is ${total}; expected > 0. Give at least one entry a positive weight.`,
    );
  }
  const inside = target < total;
  const wanted = Math.max(0, target);
  // The first index above `wanted`; beyond the end, the first that reaches the total: no later one adds to it.
  let low = 0;
  let high = prefix.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (inside ? prefix[middle] > wanted : prefix[middle] >= total) high = middle;
    else low = middle + 1;
  }
  return low;
}
