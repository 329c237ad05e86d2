// The stratified view: how many rows each cluster should give, from what its probes show (Neyman 1934).

import { requireInteger, requireLength, requireNonNegative } from '../core/check.ts';

export interface Allocation {
  /** Rows per stratum, sum `size`, at least 1 where the stratum has rows (as far as `size` reaches), at most its rows. */
  counts: Uint32Array;
  /** Predicted variance of the stratified total Σ Nᵢ²Sᵢ²/sᵢ·(1 − sᵢ/Nᵢ). */
  variance: number;
}

/**
 * Neyman allocation sᵢ ∝ Nᵢ·Sᵢ: the split of s uniform draws over strata with the smallest variance.
 *
 * Compare `variance` with `Selection.predicted.variance` to see which of the two the probes favour.
 *
 * @param sizes - Nᵢ, whole numbers, shape (k,)
 * @param deviations - standard deviation Sᵢ of the losses in each stratum, shape (k,)
 * @throws {InvalidArgumentError} `size` is below 1 @throws {ShapeError} lengths differ
 *
 * Time O(size · k).
 */
export function neymanAllocation(
  sizes: ArrayLike<number>,
  deviations: ArrayLike<number>,
  size: number,
): Allocation {
  requireLength('neymanAllocation: deviations', deviations, sizes.length);
  requireNonNegative('neymanAllocation: sizes', sizes);
  requireNonNegative('neymanAllocation: deviations', deviations);
  requireInteger('neymanAllocation: size', size, 1);
  const k = sizes.length;
  const counts = new Uint32Array(k);
  // One row at a time to where it lowers the variance most: greedy is optimal, as N²S²/s is convex in s.
  const gain = (i: number): number => {
    const s = counts[i];
    if (s >= sizes[i]) return -1;
    if (s === 0) return Infinity;
    return (sizes[i] * deviations[i]) ** 2 / (s * (s + 1));
  };
  for (let drawn = 0; drawn < size; drawn++) {
    let best = -1;
    let bestGain = -1;
    for (let i = 0; i < k; i++) {
      const value = gain(i);
      // Among strata without a row, the one with the most to lose first.
      const wins =
        value > bestGain ||
        (value === bestGain &&
          value === Infinity &&
          sizes[i] * deviations[i] > sizes[best] * deviations[best]);
      if (wins) {
        best = i;
        bestGain = value;
      }
    }
    if (best < 0) break;
    counts[best]++;
  }
  let variance = 0;
  for (let i = 0; i < k; i++) {
    if (sizes[i] === 0 || deviations[i] === 0) continue;
    variance +=
      counts[i] === 0 ? Infinity : ((sizes[i] * deviations[i]) ** 2 * (1 - counts[i] / sizes[i])) / counts[i];
  }
  return { counts, variance };
}
