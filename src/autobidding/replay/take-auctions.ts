// Some auctions of a setting, in any order and as often as wanted: another log, drawn from this one.

import type { AuctionRules, Market, Setting } from '../types.ts';

/** A setting of chosen auctions, and where its entries come from. */
export interface TakenAuctions {
  readonly setting: Setting;
  /** Entry of the original setting, shape (entries,). */
  readonly entryOf: Uint32Array;
}

/**
 * The setting of the auctions picked; auctions picked twice come twice.
 *
 * @param picks - auctions, < market.auctions
 *
 * O(entries taken).
 */
export function takeAuctions(setting: Setting, picks: Uint32Array): TakenAuctions {
  const { market, buckets, rules } = setting;
  const offsets = new Uint32Array(picks.length + 1);
  for (let j = 0; j < picks.length; j++) {
    offsets[j + 1] = offsets[j] + market.offsets[picks[j] + 1] - market.offsets[picks[j]];
  }
  const entryOf = new Uint32Array(offsets[picks.length]);
  for (let j = 0; j < picks.length; j++) {
    const first = market.offsets[picks[j]];
    for (let e = offsets[j]; e < offsets[j + 1]; e++) entryOf[e] = first + e - offsets[j];
  }
  const taken: Market = {
    ...market,
    ...{ auctions: picks.length, offsets },
    advertiserOf: Uint32Array.from(entryOf, (e) => market.advertiserOf[e]),
    values: takeEntries(market.values, entryOf),
  };
  const ofEntry = Uint16Array.from(entryOf, (e) => buckets.ofEntry[e]);
  return {
    setting: {
      ...setting,
      ...{ market: taken, buckets: { ...buckets, ofEntry }, rules: takeRules(rules, picks, entryOf) },
    },
    entryOf,
  };
}

/** Numbers of the entries taken. */
export function takeEntries(numbers: Float64Array, entryOf: Uint32Array): Float64Array {
  return Float64Array.from(entryOf, (e) => numbers[e]);
}

function takeRules(rules: AuctionRules, picks: Uint32Array, entryOf: Uint32Array): AuctionRules {
  const { reserve, boosts, factors } = rules;
  return {
    ...rules,
    reserve: reserve instanceof Float64Array ? Float64Array.from(picks, (j) => reserve[j]) : reserve,
    boosts: boosts && takeEntries(boosts, entryOf),
    factors: factors && takeEntries(factors, entryOf),
  };
}
