// Steps in any order become step functions: sorted by threshold, equal thresholds merged, summed up.

import type { AuctionFormat, Landscape } from '../types.ts';
import { sortMemory, sortThresholds } from './sort-thresholds.ts';
import type { StepStore } from './steps.ts';

/**
 * Stands for a threshold of 0 where first price is paid on something else than the value: spend = threshold · what is paid on, and 0 would
 * lose that. Far below any multiplier.
 */
const NEXT_TO_ZERO = 2 ** -500;

/** Which landscape to make of a store. */
export interface SegmentsOf {
  /** Its first segment; one for each bucket follows. */
  first: number;
  format: AuctionFormat;
  /** Entries of the advertiser in each bucket, shape (buckets,). */
  entries: Uint32Array;
  /** Whether multipliers scale the values; if not, the bid of a `manual` bidder. */
  scalesValues: boolean;
}

/**
 * The landscape in the segments of one advertiser.
 *
 * @param starts - where each segment starts; its cursor tells where it ends
 *
 * O(steps): radix sort of each segment, prefix sums in float64. Equal thresholds keep the order of the auctions.
 */
export function sortSteps(
  store: StepStore,
  starts: Float64Array,
  { first, format, entries, scalesValues }: SegmentsOf,
): Landscape {
  const buckets = entries.length;
  let longest = 0;
  let total = 0;
  for (let segment = first; segment < first + buckets; segment++) {
    const steps = store.cursors[segment] - starts[segment];
    longest = Math.max(longest, steps);
    total += steps;
  }
  const memory = sortMemory(longest);
  const bucketOffsets = new Uint32Array(buckets + 1);
  const thresholds = new Float64Array(total);
  const value = new Float64Array(total);
  const spend = new Float64Array(total);
  const zero = format === 'fpa' && !scalesValues ? NEXT_TO_ZERO : 0;
  let at = 0;
  let shared = 0;
  for (let bucket = 0; bucket < buckets; bucket++) {
    const start = starts[first + bucket];
    const count = store.cursors[first + bucket] - start;
    const order = sortThresholds(store.thresholds, start, start + count, memory);
    let sumValue = 0;
    let sumSpend = 0;
    const bucketStart = at;
    for (let t = 0; t < count; t++) {
      const step = start + order[t];
      const threshold = store.thresholds[step] || zero;
      sumValue += store.value[step];
      sumSpend += store.spend[step];
      if (at === bucketStart || thresholds[at - 1] !== threshold) at++;
      else if (threshold > zero) shared++;
      thresholds[at - 1] = threshold;
      value[at - 1] = sumValue;
      spend[at - 1] = format === 'fpa' ? threshold * sumSpend : sumSpend;
    }
    bucketOffsets[bucket + 1] = at;
  }
  // Own buffers of just this size: a landscape may be sent to a worker.
  return at === total
    ? { bucketOffsets, thresholds, value, spend, entries, shared }
    : {
        bucketOffsets,
        thresholds: thresholds.slice(0, at),
        value: value.slice(0, at),
        spend: spend.slice(0, at),
        entries,
        shared,
      };
}
