// A profile played out: bids, every auction, and what each advertiser got.

import { InvalidArgumentError } from '../../core/errors.ts';
import { type RunOptions, yieldToEventLoop } from '../../core/progress.ts';
import { CompensatedSum } from '../../core/sums.ts';
import type { AdvertiserTotals, Setting } from '../types.ts';
import { budgetOf } from './check-setting.ts';
import { emptyOutcomes, runSortedAuction } from './sorted-auction.ts';

/** Auctions between two looks at the event loop and the signal: a few milliseconds. */
const AUCTIONS_PER_TURN = 2048;

/** What entry `e` bids with multiplier `multiplier`, or by its bidder's rule. */
export function bidOfEntry({ market, bidders }: Setting, e: number, multiplier: number): number {
  const bidder = bidders?.[market.advertiserOf[e]];
  if (bidder?.kind === 'fixed') return bidder.multiplier * market.values[e];
  if (bidder?.kind === 'manual') return bidder.bid;
  return multiplier * market.values[e];
}

/** True for bidders whose multipliers are not read: their bids follow from a rule. */
export function bidsByRule({ bidders }: Setting, advertiser: number): boolean {
  const kind = bidders?.[advertiser]?.kind;
  return kind === 'fixed' || kind === 'manual';
}

/**
 * The bid of each entry, shape (entries,).
 *
 * @param rowOf - the multipliers of an advertiser, shape (K,)
 * @throws {InvalidArgumentError} a multiplier that is used is negative or not finite; the message names advertiser and bucket
 */
export function bidsOfRows(
  where: string,
  setting: Setting,
  rowOf: (advertiser: number) => Float64Array,
): Float64Array {
  const { market, buckets } = setting;
  return market.values.map((_, e) => {
    const advertiser = market.advertiserOf[e];
    const bid = bidOfEntry(setting, e, rowOf(advertiser)[buckets.ofEntry[e]]);
    if (bid >= 0 && bid < Infinity) return bid;
    throw new InvalidArgumentError(
      `${where}: multiplier of advertiser ${advertiser} in bucket ${buckets.ofEntry[e]} is ${rowOf(advertiser)[buckets.ofEntry[e]]}; ` +
        `expected a finite number ≥ 0, for entry ${e} is bid with it.`,
    );
  });
}

/** Runs all auctions and adds up, compensated. O(entries · log P). */
export async function runMarket(
  setting: Setting,
  bids: Float64Array,
  { signal }: RunOptions = {},
): Promise<AdvertiserTotals> {
  const { market, rules } = setting;
  const outcomes = emptyOutcomes(market.values.length);
  const value = Array.from({ length: market.advertisers }, () => new CompensatedSum());
  const spend = Array.from({ length: market.advertisers }, () => new CompensatedSum());
  const wins = new Float64Array(market.advertisers);
  for (let j = 0; j < market.auctions; j++) {
    if (j % AUCTIONS_PER_TURN === AUCTIONS_PER_TURN - 1) await yieldToEventLoop();
    if (j % AUCTIONS_PER_TURN === 0) signal?.throwIfAborted();
    runSortedAuction(market, rules, j, bids, outcomes);
    for (let e = market.offsets[j]; e < market.offsets[j + 1]; e++) {
      if (outcomes.discount[e] === 0) continue;
      const advertiser = market.advertiserOf[e];
      value[advertiser].add(outcomes.discount[e] * market.values[e]);
      spend[advertiser].add(outcomes.payment[e]);
      wins[advertiser]++;
    }
  }
  return {
    value: Float64Array.from(value, (sum) => sum.value),
    spend: Float64Array.from(spend, (sum) => sum.value),
    wins,
  };
}

/**
 * No allocation has more welfare than this: Σ over auctions of the s-th discount times the s-th best value. Nor, where there are budgets, more
 * liquid welfare than the budgets, or all an advertiser's values in slot 1 where that is less. O(entries · log P).
 */
export function bestWelfare({ market, bidders }: Setting): number {
  const { auctions, offsets, advertiserOf, values, discounts } = market;
  const welfare = new CompensatedSum();
  for (let j = 0; j < auctions; j++) {
    const sorted = values.slice(offsets[j], offsets[j + 1]).sort();
    for (let s = 0; s < Math.min(sorted.length, discounts.length); s++) {
      welfare.add(discounts[s] * sorted[sorted.length - 1 - s]);
    }
  }
  if (!bidders?.some((bidder) => budgetOf(bidder) < Infinity)) return welfare.value;
  const alone = Array.from({ length: market.advertisers }, () => new CompensatedSum());
  values.forEach((value, e) => {
    alone[advertiserOf[e]].add(discounts[0] * value);
  });
  const liquid = new CompensatedSum();
  alone.forEach(({ value }, i) => {
    liquid.add(Math.min(value, budgetOf(bidders[i])));
  });
  return Math.min(welfare.value, liquid.value);
}
