// The conditions under which worst-case bounds were proved, each looked up in a setting.

import type { Profile, Setting } from '../types.ts';

/** A condition in words, and whether it holds here; undefined where it depends on a profile that was not given. */
export interface Condition {
  readonly statement: string;
  holds(setting: Setting, profile?: Profile): boolean | undefined;
}

export const firstPrice: Condition = {
  statement: 'first price',
  holds: ({ rules }) => rules.format === 'fpa',
};

export const vcg: Condition = { statement: 'VCG', holds: ({ rules }) => rules.format === 'vcg' };

export const gsp: Condition = { statement: 'GSP', holds: ({ rules }) => rules.format === 'gsp' };

export const oneSlot: Condition = {
  statement: 'one slot that is sold, where GSP and VCG are the same',
  holds: ({ market }) => soldSlots(market.discounts) === 1,
};

export const severalSlots: Condition = {
  statement: 'more than one slot that is sold',
  holds: ({ market }) => soldSlots(market.discounts) > 1,
};

export const uniformBidding: Condition = {
  statement: 'one multiplier for each advertiser',
  holds({ market, buckets }) {
    if (buckets.count === 1) return true;
    const bucketOf = new Map<number, number>();
    return market.advertiserOf.every((advertiser, e) => {
      const known = bucketOf.get(advertiser);
      if (known === undefined) bucketOf.set(advertiser, buckets.ofEntry[e]);
      return known === undefined || known === buckets.ofEntry[e];
    });
  },
};

export const valueMaximisers: Condition = {
  statement: 'value maximisers only, without budgets',
  holds: ({ bidders }) =>
    bidders === undefined ||
    bidders.every((bidder) => bidder.kind === 'value' && (bidder.budget ?? Infinity) === Infinity),
};

export const noReserve: Condition = {
  statement: 'no reserve prices',
  holds: ({ rules: { reserve = 0 } }) =>
    typeof reserve === 'number' ? reserve === 0 : reserve.every((price) => price === 0),
};

export const rankedByBids: Condition = {
  statement: 'ranking by bids: no boosts, equal factors',
  holds: ({ rules: { boosts, factors } }) =>
    (boosts?.every((boost) => boost === 0) ?? true) &&
    (factors?.every((factor) => factor === factors[0]) ?? true),
};

export const ownEntriesApart: Condition = {
  statement: 'one entry of an owner in an auction',
  holds: (setting) => !sharesOwners(setting),
};

export const severalEntries: Condition = {
  statement: 'advertisers with several entries in an auction',
  holds: (setting) => sharesOwners(setting),
};

/** Second-price rules let a rival win for nothing when the rightful winner bids below its value, which it never gains by. */
export const noUnderbidding: Condition = {
  statement: 'nobody bids below its value (those bids are dominated)',
  holds: ({ market, buckets }, profile) =>
    profile &&
    market.advertiserOf.every(
      (advertiser, e) => profile[advertiser * buckets.count + buckets.ofEntry[e]] >= 1 - 1e-9,
    ),
};

/**
 * The largest c such that in every auction of two entries the one of higher value has a boost higher by c times the difference of values;
 * 0 without boosts. Neighbours in the order of values suffice: other pairs' ratios are averages of theirs. O(entries · log P).
 */
export function boostStrength({ market, rules: { boosts } }: Setting): number {
  if (!boosts) return 0;
  let strength = Infinity;
  for (let j = 0; j < market.auctions; j++) {
    const entries = Array.from(
      { length: market.offsets[j + 1] - market.offsets[j] },
      (_, p) => market.offsets[j] + p,
    ).sort((a, b) => market.values[a] - market.values[b]);
    for (let p = 1; p < entries.length; p++) {
      const [low, high] = [entries[p - 1], entries[p]];
      const difference = market.values[high] - market.values[low];
      if (difference > 0) strength = Math.min(strength, (boosts[high] - boosts[low]) / difference);
    }
  }
  return strength === Infinity ? 0 : Math.max(0, strength);
}

function soldSlots(discounts: Float64Array): number {
  return discounts.filter((discount) => discount > 0).length;
}

function sharesOwners({ market, rules: { owners } }: Setting): boolean {
  for (let j = 0; j < market.auctions; j++) {
    const entries = market.advertiserOf.subarray(market.offsets[j], market.offsets[j + 1]);
    const distinct = new Set(Array.from(entries, (advertiser) => owners?.[advertiser] ?? advertiser));
    if (distinct.size < entries.length) return true;
  }
  return false;
}
