// A setting's auctions as the kernels want them.

import { requireLength } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import type { AuctionBids } from '../../kernels/index.ts';
import { profileBids } from '../market/profile-bids.ts';
import { hasSeveralEntries } from '../market/several-entries.ts';
import type { Market, Profile, Setting } from '../types.ts';

/** Bids of every entry, shape (entries,), finite and ≥ 0: what a profile would have said. */
export interface EntryBids {
  readonly bids: Float64Array;
}

/** @throws {InvalidArgumentError} naming the entry whose bid is negative or not finite @throws {ShapeError} the wrong number of bids */
export function bidsOf(where: string, setting: Setting, strategy: Profile | EntryBids): Float64Array {
  if (!('bids' in strategy)) return profileBids(setting, strategy);
  const { bids } = strategy;
  requireLength(`${where}: bids`, bids, setting.market.values.length);
  for (let e = 0; e < bids.length; e++) {
    if (!(bids[e] >= 0 && bids[e] < Infinity)) {
      throw new InvalidArgumentError(`${where}: bids[${e}] is ${bids[e]}; expected a finite number ≥ 0.`);
    }
  }
  return bids;
}

/** Arrays are shared, not copied. O(entries) the first time a market is seen without owners, to see whether advertisers have several entries. */
export function auctionBids({ market, rules }: Setting, bids: Float64Array): AuctionBids {
  const { offsets, advertiserOf } = market;
  const { reserve = 0, factors, boosts, owners, ties = 'index' } = rules;
  const grouped = owners !== undefined || mayHaveSeveralEntries(market);
  const tieSeed = ties === 'index' ? undefined : ties.seed;
  return { offsets, advertiserOf, bids, reserve, factors, boosts, owners, grouped, tieSeed };
}

/** Slots that are sold: those of discount > 0, which are the first ones. */
export function soldDiscounts({ discounts }: Market): Float64Array {
  const none = discounts.indexOf(0);
  return none < 0 ? discounts : discounts.subarray(0, none);
}

/** Markets never change, and a search for an equilibrium runs the same one hundreds of times. */
const severalEntries = new WeakMap<Market, boolean>();

function mayHaveSeveralEntries(market: Market): boolean {
  let several = severalEntries.get(market);
  if (several === undefined) {
    several = hasSeveralEntries(market);
    severalEntries.set(market, several);
  }
  return several;
}
