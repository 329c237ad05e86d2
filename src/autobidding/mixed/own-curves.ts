// One advertiser against a mixed profile: what it gets now, and its landscape on a fine grid.

import type { Setting } from '../types.ts';
import type { BinnedCurves } from './binned-curves.ts';
import type { ExpectedSteps } from './expected-steps.ts';
import type { Marginals } from './marginals.ts';

/** The entries of each advertiser, and their auctions. */
export interface EntryIndex {
  /** Shape (advertisers + 1,). */
  readonly offsets: Uint32Array;
  /** Shape (entries,), by advertiser, in order of auctions. */
  readonly entries: Uint32Array;
  /** Auction of each entry of the market. */
  readonly auctionOf: Uint32Array;
}

export function indexEntries({ market }: Setting): EntryIndex {
  const { advertisers, auctions, offsets: rows, advertiserOf } = market;
  const offsets = new Uint32Array(advertisers + 1);
  for (const advertiser of advertiserOf) offsets[advertiser + 1]++;
  for (let i = 0; i < advertisers; i++) offsets[i + 1] += offsets[i];
  const next = offsets.slice();
  const entries = new Uint32Array(advertiserOf.length);
  const auctionOf = new Uint32Array(advertiserOf.length);
  for (let j = 0; j < auctions; j++) {
    for (let e = rows[j]; e < rows[j + 1]; e++) {
      entries[next[advertiserOf[e]]++] = e;
      auctionOf[e] = j;
    }
  }
  return { offsets, entries, auctionOf };
}

/** What an advertiser gets in expectation, and how many entries it has in each bucket. */
export interface OwnTotals {
  readonly value: number;
  readonly spend: number;
  /** Shape (K,). */
  readonly entries: Uint32Array;
}

/**
 * Sweeps all entries of advertiser `i`: adds its steps to `curves` (cleared here, one cell a bucket), and adds up what its own strategy gets.
 *
 * Ties count as lost for what it gets, and as won in the curves: regret is never understated by them.
 */
export function sweepOwn(
  setting: Setting,
  marginals: Marginals,
  steps: ExpectedSteps,
  index: EntryIndex,
  i: number,
  curves: BinnedCurves,
): OwnTotals {
  const { buckets, rules, bidders } = setting;
  const firstPrice = rules.format === 'fpa';
  // A manual bidder's multipliers are bids.
  const manual = bidders?.[i].kind === 'manual';
  const { offsets, logs, weights } = marginals;
  const entries = new Uint32Array(buckets.count);
  let [value, spend] = [0, 0];
  curves.clear();
  for (let at = index.offsets[i]; at < index.offsets[i + 1]; at++) {
    const e = index.entries[at];
    const bucket = buckets.ofEntry[e];
    const cell = i * buckets.count + bucket;
    entries[bucket]++;
    steps.sweep(index.auctionOf[e], e);
    const { count, logs: thresholds, value: valueAdded, spend: spendAdded } = steps;
    let own = offsets[cell];
    const end = offsets[cell + 1];
    let [won, paid] = [0, 0];
    for (let t = 0; t <= count; t++) {
      const threshold = t < count ? thresholds[t] : Infinity;
      for (; own < end && logs[own] <= threshold; own++) {
        value += weights[own] * won;
        if (firstPrice) {
          const price = Math.exp(logs[own]) * (manual ? 1 / setting.market.values[e] : 1);
          spend += weights[own] * won * price;
        } else spend += weights[own] * paid;
      }
      if (t === count) break;
      won += valueAdded[t];
      paid += spendAdded[t];
      if (!manual) curves.add(bucket, threshold, valueAdded[t], firstPrice ? 0 : spendAdded[t]);
    }
  }
  return { value, spend, entries };
}
