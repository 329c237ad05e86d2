// What each group of auctions gave to whom: the rows of the bootstrap.

import type { RunOptions } from '../../core/progress.ts';
import { NO_ENTRY } from '../../kernels/index.ts';
import { auctionBatches } from '../auction/auction-details.ts';
import type { AdvertiserTotals, Market, Setting } from '../types.ts';
import type { GroupSums } from './bootstrap.ts';
import type { AuctionGroups } from './groups.ts';

/** Rules and the bids they meet; all worlds of a replay have the same market. */
export interface BidWorld {
  readonly setting: Setting;
  /** Bids, or draws of bids that stand for their mean. */
  readonly draws: { readonly count: number; readonly bids: (draw: number) => Float64Array };
  /** What the sums over all groups are known to be; those of draws are scaled to it. Left out: as they come. */
  readonly totals?: Pick<AdvertiserTotals, 'value' | 'spend'> | undefined;
}

/** Columns of `sumByGroup`: values and spends of each advertiser in each world, then the optimum. */
export interface SumColumns {
  readonly advertisers: number;
  readonly worlds: number;
  /** Column of an advertiser's value; its spend is `advertisers` further. */
  value(world: number, advertiser: number): number;
  spend(world: number, advertiser: number): number;
  readonly optimum: number;
  readonly width: number;
}

export function sumColumns(advertisers: number, worlds: number): SumColumns {
  return {
    advertisers,
    worlds,
    value: (world, advertiser) => 2 * world * advertisers + advertiser,
    spend: (world, advertiser) => (2 * world + 1) * advertisers + advertiser,
    optimum: 2 * worlds * advertisers,
    width: 2 * worlds * advertisers + 1,
  };
}

/**
 * Values and spends of each advertiser in each world, and the optimal welfare, summed over each group of auctions.
 *
 * @returns shape (groups, columns), columns as in `sumColumns`
 *
 * Draws of mixed strategies are averaged, then scaled to their exact expectations: what is left of chance is how the sums spread over groups.
 *
 * O(draws · entries · slots). The details of 8192 auctions are held at once.
 */
export async function sumByGroup(
  market: Market,
  worlds: readonly BidWorld[],
  groups: AuctionGroups,
  { signal, onProgress }: RunOptions = {},
): Promise<GroupSums> {
  const { advertisers, advertiserOf, values, discounts } = market;
  const columns = sumColumns(advertisers, worlds.length);
  const data = new Float64Array(groups.count * columns.width);
  for (const [world, { setting, draws, totals }] of worlds.entries()) {
    const [valueStart, spendStart] = [columns.value(world, 0), columns.spend(world, 0)];
    for (let draw = 0; draw < draws.count; draw++) {
      const batches = auctionBatches(setting, { bids: draws.bids(draw) }, { signal, onProgress });
      for await (const { first, slots, winners, payments } of batches) {
        for (let at = 0; at < winners.length; at++) {
          const entry = winners[at];
          if (entry === NO_ENTRY) continue;
          const row = groups.of[first + Math.floor(at / slots)] * columns.width;
          const advertiser = advertiserOf[entry];
          data[row + valueStart + advertiser] += (discounts[at % slots] * values[entry]) / draws.count;
          data[row + spendStart + advertiser] += payments[at] / draws.count;
        }
      }
    }
    if (totals) {
      for (let i = 0; i < advertisers; i++) {
        scaleColumn(data, columns, valueStart + i, totals.value[i]);
        scaleColumn(data, columns, spendStart + i, totals.spend[i]);
      }
    }
  }
  addOptima(market, groups, data, columns);
  return { groups: groups.count, width: columns.width, data };
}

/** Scales a column to a known sum; one of zeros stays. */
function scaleColumn(data: Float64Array, { width }: SumColumns, column: number, total: number): void {
  let sum = 0;
  for (let at = column; at < data.length; at += width) sum += data[at];
  if (sum === 0) return;
  for (let at = column; at < data.length; at += width) data[at] *= total / sum;
}

/** Column sums over all groups, shape (width,). */
export function totalSums({ groups, width, data }: GroupSums): Float64Array {
  const total = new Float64Array(width);
  for (let g = 0; g < groups; g++) for (let c = 0; c < width; c++) total[c] += data[g * width + c];
  return total;
}

/** Σ_s δ_s · (s-th largest value) of each auction, into the column of its group. */
function addOptima(
  { auctions, offsets, values, discounts }: Market,
  groups: AuctionGroups,
  data: Float64Array,
  { width, optimum }: SumColumns,
): void {
  const top = new Float64Array(discounts.length);
  for (let j = 0; j < auctions; j++) {
    let kept = 0;
    for (let e = offsets[j]; e < offsets[j + 1]; e++) {
      let s = kept < top.length ? kept++ : top.length;
      for (; s > 0 && top[s - 1] < values[e]; s--) if (s < top.length) top[s] = top[s - 1];
      if (s < top.length) top[s] = values[e];
    }
    let sum = 0;
    for (let s = 0; s < kept; s++) sum += discounts[s] * top[s];
    data[groups.of[j] * width + optimum] += sum;
  }
}
