// Between steps of a landscape and multipliers to bid with.

import type { AuctionFormat, Landscape, Response } from '../types.ts';

/** Bid where nobody competes: anything above 0 wins, at a price next to nothing also in first price. */
const LEAST_MULTIPLIER = 1e-9;

/** Whether the advertiser has entries in bucket `k`. */
export function hasEntries({ entries, bucketOffsets }: Landscape, k: number): boolean {
  return entries ? entries[k] > 0 : bucketOffsets[k + 1] > bucketOffsets[k];
}

/**
 * The multiplier that takes step `step` of bucket `k`; −1: bid nothing.
 *
 * @returns the step's threshold; 10⁻⁹ or less where it is 0, since a multiplier of 0 bids nothing; NaN for a bucket without entries
 */
export function multiplierAt(landscape: Landscape, k: number, step: number): number {
  const { thresholds, bucketOffsets } = landscape;
  if (!hasEntries(landscape, k)) return NaN;
  if (step < 0) return 0;
  if (thresholds[step] > 0) return thresholds[step];
  const next = step + 1 < bucketOffsets[k + 1] ? thresholds[step + 1] : Infinity;
  return Math.min(LEAST_MULTIPLIER, next / 2);
}

/**
 * Last step of bucket `k` with a threshold ≤ `multiplier`, or −1: what bidding it wins, ties included. A multiplier of 0 or NaN wins nothing.
 *
 * O(log steps).
 */
export function stepAt({ thresholds, bucketOffsets }: Landscape, k: number, multiplier: number): number {
  if (!(multiplier > 0)) return -1;
  let low = bucketOffsets[k];
  let high = bucketOffsets[k + 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (thresholds[middle] <= multiplier) low = middle + 1;
    else high = middle;
  }
  return low > bucketOffsets[k] ? low - 1 : -1;
}

/**
 * What a row of multipliers gives: value and spend as the landscape promises, ties won; in first price the multiplier bid is paid.
 *
 * @param multipliers - shape (K,), ≥ 0, or NaN where nothing is bid. O(K log steps)
 */
export function outcomeAt(
  landscape: Landscape,
  multipliers: ArrayLike<number>,
  format: AuctionFormat,
): { value: number; spend: number } {
  const outcome = { value: 0, spend: 0 };
  for (let k = 0; k < landscape.bucketOffsets.length - 1; k++) {
    const step = stepAt(landscape, k, multipliers[k]);
    if (step < 0) continue;
    const threshold = landscape.thresholds[step];
    outcome.value += landscape.value[step];
    // A threshold of 0 has no spend to scale from; there the value itself is what a value bidder pays on.
    outcome.spend +=
      format !== 'fpa' || multipliers[k] === threshold
        ? landscape.spend[step]
        : threshold > 0
          ? (landscape.spend[step] / threshold) * multipliers[k]
          : landscape.value[step] * multipliers[k];
  }
  return outcome;
}

/** The response of a bidder that bids by rule: the same multiplier everywhere, whatever comes of it. */
export function respondByRule(landscape: Landscape, multiplier: number, format: AuctionFormat): Response {
  const buckets = landscape.bucketOffsets.length - 1;
  const multipliers = Float64Array.from({ length: buckets }, (_, k) =>
    hasEntries(landscape, k) ? multiplier : NaN,
  );
  const { value, spend } = outcomeAt(landscape, multipliers, format);
  return { multipliers, value, spend, upperBound: value, multiplierOfTarget: 0, unconstrained: false };
}
