// Auction by auction, entry by entry: who won which slot, at what price, and with which bid it would have won.

import { auctionBatches, type Setting } from '../../autobidding/index.ts';
import { hasSeveralEntries } from '../../autobidding/market/several-entries.ts';
import { drawsOf } from '../../autobidding/replay/mixed-draws.ts';
import type { RunOptions } from '../../core/progress.ts';
import { type ColumnData, writeTableBatches } from '../../data/index.ts';
import { namesOf, type OpenedMarket } from './open-market.ts';
import type { SolvedBids } from './solve-bids.ts';

/**
 * Writes a row for each entry, in batches of auctions: memory does not grow with them.
 *
 * Of mixed strategies it is one joint draw.
 *
 * @param file - Parquet, CSV, JSON lines or Arrow by its extension
 * @returns number of rows
 */
export async function writePerAuction(
  file: string,
  setting: Setting,
  { profile, bids: recorded }: SolvedBids,
  opened: OpenedMarket,
  { seed, ...run }: RunOptions & { seed: number },
): Promise<number> {
  const bids = recorded ?? drawsOf(setting, profile, seed).bids(0);
  return await writeTableBatches(file, entryBatches(setting, bids, opened, run), { signal: run.signal });
}

async function* entryBatches(
  setting: Setting,
  bids: Float64Array,
  opened: OpenedMarket,
  run: RunOptions,
): AsyncGenerator<Record<string, ColumnData>> {
  const { market } = setting;
  const names = namesOf(opened);
  const several = hasSeveralEntries(market);
  for await (const batch of auctionBatches(setting, { bids }, { ...run, minimumBids: true })) {
    const { first, end, slots, winners, payments, minimumBids = new Float64Array(0) } = batch;
    const start = market.offsets[first];
    const entries = market.offsets[end] - start;
    const auction: string[] = [];
    const number = new Uint32Array(entries);
    for (let j = first; j < end; j++) {
      for (let e = market.offsets[j]; e < market.offsets[j + 1]; e++) {
        auction.push(String(opened.auctionIds?.[j] ?? j));
        const again = e > market.offsets[j] && market.advertiserOf[e] === market.advertiserOf[e - 1];
        if (again) number[e - start] = number[e - start - 1] + 1;
      }
    }
    const slot = new Uint16Array(entries);
    const payment = new Float64Array(entries);
    for (let at = 0; at < winners.length; at++) {
      if (winners[at] === EMPTY) continue;
      slot[winners[at] - start] = (at % slots) + 1;
      payment[winners[at] - start] = payments[at];
    }
    const column = (s: number) =>
      Float64Array.from(
        { length: entries },
        (_, e) => minimumBids[e * slots + s] ?? Number.POSITIVE_INFINITY,
      );
    yield {
      auction,
      advertiser: Array.from(market.advertiserOf.subarray(start, start + entries), (i) => names[i]),
      ...(several ? { entry: number } : {}),
      value: market.values.subarray(start, start + entries),
      bid: bids.subarray(start, start + entries),
      slot,
      payment,
      minimum_bid: column(slots - 1),
      minimum_bid_best_slot: column(0),
    };
  }
}

/** In `winners`: the slot stayed empty. */
const EMPTY = 2 ** 32 - 1;
