// What every group of auctions is worth to an advertiser at every multiplier of a grid, at a price for what its limits allow.

import type { Goal } from '../response/goal.ts';
import type { AuctionFormat, Landscape } from '../types.ts';

/** Worth of groups at multipliers, row-major. */
export interface WorthTable {
  /** Group of each row: those in which the advertiser has entries. */
  readonly groups: Uint32Array;
  /** Multipliers of the grid, G. */
  readonly size: number;
  /** gain − price · cost, shape (rows · G,). */
  readonly worth: Float64Array;
}

/**
 * gain − price · cost of every group at every multiplier of the grid.
 *
 * @param landscape - with the groups as buckets
 * @param multipliers - ascending, shape (G,)
 * @param price - gain that a unit of cost must bring: the slope of the relaxation at its limit
 *
 * O(steps + groups · G).
 */
export function worthTable(
  landscape: Landscape,
  multipliers: Float64Array,
  { goal, price, format }: { goal: Goal; price: number; format: AuctionFormat },
): WorthTable {
  const { bucketOffsets, thresholds, value, spend, entries } = landscape;
  const rows: number[] = [];
  for (let g = 0; g < bucketOffsets.length - 1; g++) if (entries![g] > 0) rows.push(g);
  const size = multipliers.length;
  const worth = new Float64Array(rows.length * size);
  rows.forEach((g, row) => {
    let step = bucketOffsets[g];
    for (let at = 0; at < size; at++) {
      while (step < bucketOffsets[g + 1] && thresholds[step] <= multipliers[at]) step++;
      if (step === bucketOffsets[g]) continue;
      const won = value[step - 1];
      const paid = format === 'fpa' ? multipliers[at] * won : spend[step - 1];
      const gain = won - goal.spendWeight * paid;
      worth[row * size + at] = gain - price * (paid - goal.valueWeight * won);
    }
  });
  return { groups: Uint32Array.from(rows), size, worth };
}
