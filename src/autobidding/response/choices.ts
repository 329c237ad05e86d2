// What there is to choose from in each bucket, without what no goal would choose.

import type { Landscape } from '../types.ts';
import type { Goal } from './goal.ts';

/** Steps worth choosing, by bucket; costs and gains strictly ascending within a bucket. */
export interface Choices {
  /** Shape (K + 1,). */
  readonly offsets: Uint32Array;
  readonly gain: Float64Array;
  readonly cost: Float64Array;
  /** Step of the landscape, or −1: bid nothing. */
  readonly step: Int32Array;
}

/**
 * The undominated steps of each bucket: no other step, nor bidding nothing, has as much gain for as little cost. Of equal ones the first.
 *
 * O(steps); O(steps log steps) in buckets whose costs are not monotone.
 */
export function undominated(landscape: Landscape, { spendWeight, valueWeight }: Goal): Choices {
  const { bucketOffsets, value, spend } = landscape;
  const buckets = bucketOffsets.length - 1;
  const offsets = new Uint32Array(buckets + 1);
  const gain = new Float64Array(value.length + buckets);
  const cost = new Float64Array(value.length + buckets);
  const step = new Int32Array(value.length + buckets);
  let count = 0;
  for (let k = 0; k < buckets; k++) {
    const start = count;
    gain[count] = 0;
    cost[count] = 0;
    step[count++] = -1;
    let sorted = true;
    for (let t = bucketOffsets[k]; t < bucketOffsets[k + 1]; t++) {
      const g = value[t] - spendWeight * spend[t];
      const c = spend[t] - valueWeight * value[t];
      // Most steps cost and gain more than the one before, or dominate it, or are dominated by it.
      while (count > start && cost[count - 1] >= c && gain[count - 1] < g) count--;
      if (count > start && gain[count - 1] >= g) {
        if (cost[count - 1] <= c) continue;
        sorted = false; // less of both: its place is further down
      }
      gain[count] = g;
      cost[count] = c;
      step[count++] = t;
    }
    if (!sorted) count = sweepSorted(gain, cost, step, start, count);
    offsets[k + 1] = count;
  }
  return {
    offsets,
    gain: gain.subarray(0, count),
    cost: cost.subarray(0, count),
    step: step.subarray(0, count),
  };
}

/** Sorts choices start … end − 1 by cost and keeps those that gain more than all cheaper ones. @returns where they end now */
function sweepSorted(
  gain: Float64Array,
  cost: Float64Array,
  step: Int32Array,
  start: number,
  end: number,
): number {
  const old = { gain: gain.slice(start, end), cost: cost.slice(start, end), step: step.slice(start, end) };
  const order = Uint32Array.from({ length: end - start }, (_, i) => i);
  order.sort((a, b) => old.cost[a] - old.cost[b] || old.gain[b] - old.gain[a] || a - b);
  let count = start;
  for (const i of order) {
    if (count > start && old.gain[i] <= gain[count - 1]) continue;
    gain[count] = old.gain[i];
    cost[count] = old.cost[i];
    step[count++] = old.step[i];
  }
  return count;
}
