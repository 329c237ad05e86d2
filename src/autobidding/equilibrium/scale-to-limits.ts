// One factor on all multipliers of an advertiser: the largest with which it keeps its target and budget.

import { stepAt } from '../response/multipliers.ts';
import type { Bidder, Landscape } from '../types.ts';
import { spendingLimit } from './objective.ts';
import { ABOVE_TIE, type Table } from './table.ts';

/** Factors looked at. */
const LOWEST = 0.9;
const HIGHEST = 1.1;

export interface ScaleOptions {
  /** By how much spend may be above its limit, relative; negative: by how much it must be below. */
  allowance: number;
  /** Default 1.1; 1 where bids may only fall. */
  highest?: number | undefined;
}

/**
 * The row times the factor in [0.9, highest] that has most value with spend ≤ limit · (1 + allowance); the lowest where none has.
 *
 * Unlike a best response it leaves the proportions between buckets, so the others hardly notice. Where the row itself has as much value it is kept.
 *
 * O(E log E) for the E steps between the lowest and the highest factor.
 */
export function scaleToLimits(
  { format, cap }: Pick<Table, 'format' | 'cap'>,
  landscape: Landscape,
  row: Float64Array,
  bidder: Bidder,
  { allowance, highest = HIGHEST }: ScaleOptions,
): Float64Array {
  const { thresholds, value, spend, bucketOffsets } = landscape;
  const firstPrice = format === 'fpa';
  const events: { at: number; value: number; spend: number }[] = [];
  const sum = { value: 0, spend: 0 };
  row.forEach((multiplier, k) => {
    if (!(multiplier > 0)) return;
    let step = stepAt(landscape, k, multiplier * LOWEST);
    let [v, p] = step < 0 ? [0, 0] : [value[step], spend[step]];
    sum.value += v;
    sum.spend += firstPrice ? multiplier * v : p;
    const limit = Math.min(multiplier * highest, cap);
    for (step = step < 0 ? bucketOffsets[k] : step + 1; step < bucketOffsets[k + 1]; step++) {
      if (thresholds[step] > limit) break;
      events.push({
        at: thresholds[step] / multiplier,
        value: value[step] - v,
        spend: firstPrice ? (value[step] - v) * multiplier : spend[step] - p,
      });
      [v, p] = [value[step], spend[step]];
    }
  });
  events.sort((a, b) => a.at - b.at);
  let best = -1;
  let factor = LOWEST;
  for (let x = -1; x < events.length; x++) {
    if (x >= 0) {
      sum.value += events[x].value;
      sum.spend += events[x].spend;
    }
    const low = x < 0 ? LOWEST : events[x].at;
    const high = x + 1 < events.length ? events[x + 1].at : highest;
    const paid = firstPrice ? low * sum.spend : sum.spend;
    if (sum.value <= best || paid > spendingLimit(bidder, sum.value) * (1 + allowance)) continue;
    best = sum.value;
    // In first price as low as may be; else the middle between two steps, unless the row is between them already.
    factor = firstPrice ? low * (1 + ABOVE_TIE) : low < 1 && 1 < high ? 1 : (low + high) / 2;
  }
  return factor === 1 ? row : row.map((multiplier) => Math.min(cap, multiplier * factor));
}
