// The table at which a game is played: a profile that moves, the bids it makes, and what they look like to each advertiser.

import {
  type EntryIndex,
  exactLandscapes,
  gridLandscapes,
  indexEntries,
  landscapeOf,
  type MultiplierGrid,
  multiplierGrid,
} from '../landscape/index.ts';
import { DEFAULT_MAX_MULTIPLIER } from '../market/check-setting.ts';
import { profileBids } from '../market/profile-bids.ts';
import { bestResponse } from '../response/index.ts';
import type { AuctionFormat, Bidder, Landscape, Profile, Response, Setting } from '../types.ts';

/** How far above a threshold first-price bids are made, relative: a tie is won for sure, at next to no cost. */
export const ABOVE_TIE: number = 1e-9;

/** Steps of all landscapes from which surveys are on a grid: sorting them takes about a third of a second. */
const STEPS_TO_SORT = 1e6;

/** Multipliers on it: 0.3 % apart at a cap of 10. */
const GRID_SIZE = 1921;

export interface Table {
  readonly setting: Setting;
  readonly format: AuctionFormat;
  /** K. */
  readonly buckets: number;
  readonly cap: number;
  readonly bidders: readonly Bidder[];
  /** Advertisers whose multipliers are searched for, ascending: not those that bid by rule, nor those whose best response is known. */
  readonly movers: readonly number[];
  readonly index: EntryIndex;
  /** For surveys of large markets. */
  readonly grid: MultiplierGrid | undefined;
  /** Moves; shape (advertisers · K,). */
  readonly profile: Profile;
  /** Bids of `profile`, shape (entries,). */
  readonly bids: Float64Array;
}

/**
 * Sets a table for a game.
 *
 * @param initial - where play begins, copied; NaN where a bucket holds no entry of the advertiser. Default: 1 everywhere. A value bidder whose
 *   best response in first price is 1 whatever the others do (entries in one bucket, no budget: spend = multiplier · value) bids 1 in any case
 */
export function setTable(setting: Setting, initial?: Profile): Table {
  const { market, buckets, rules } = setting;
  const K = buckets.count;
  const bidders =
    setting.bidders ?? Array.from({ length: market.advertisers }, (): Bidder => ({ kind: 'value' }));
  const held = entriesOfBuckets(setting);
  const profile = new Float64Array(market.advertisers * K);
  const movers: number[] = [];
  bidders.forEach((bidder, i) => {
    let used = 0;
    for (let k = 0; k < K; k++) if (held[i * K + k] > 0) used++;
    const byRule = bidder.kind === 'fixed' || bidder.kind === 'manual';
    const known =
      rules.format === 'fpa' &&
      used === 1 &&
      bidder.kind === 'value' &&
      !((bidder.budget ?? Infinity) < Infinity);
    for (let k = 0; k < K; k++) {
      const at = i * K + k;
      if (held[at] === 0) profile[at] = NaN;
      else if (bidder.kind === 'fixed') profile[at] = bidder.multiplier;
      else profile[at] = known || byRule ? 1 : (initial?.[at] ?? 1);
    }
    if (used > 0 && !byRule && !known) movers.push(i);
  });
  return {
    setting,
    format: rules.format,
    buckets: K,
    cap: setting.maxMultiplier ?? DEFAULT_MAX_MULTIPLIER,
    bidders,
    movers,
    index: indexEntries(market),
    grid:
      market.values.length * market.discounts.length > STEPS_TO_SORT
        ? multiplierGrid(setting, { size: GRID_SIZE })
        : undefined,
    profile,
    bids: profileBids(setting, profile),
  };
}

/** Row of multipliers of advertiser i, a view. */
export function rowOf({ profile, buckets }: Table, i: number): Float64Array {
  return profile.subarray(i * buckets, (i + 1) * buckets);
}

/** Lets advertiser i bid `row`. O(own entries). */
export function play(table: Table, i: number, row: ArrayLike<number>): void {
  const { profile, buckets, bids, index, setting } = table;
  profile.set(row, i * buckets);
  const { values } = setting.market;
  const { ofEntry } = setting.buckets;
  for (let at = index.starts[i]; at < index.starts[i + 1]; at++) {
    const e = index.entries[at];
    bids[e] = profile[i * buckets + ofEntry[e]] * values[e];
  }
}

/** Puts a whole profile on the table. O(entries) */
export function playAll(table: Table, profile: Profile): void {
  table.profile.set(profile);
  profileBids(table.setting, table.profile, table.bids);
}

/** What everybody sees, exactly. */
export function viewAll({ setting, bids }: Table): Landscape[] {
  return exactLandscapes(setting, bids);
}

/** What everybody sees: on a fine grid of multipliers where there are more steps than are sorted in a moment, else exactly. */
export function survey({ setting, bids, grid }: Table): Landscape[] {
  return grid ? gridLandscapes(setting, bids, grid) : exactLandscapes(setting, bids);
}

/** What advertiser i sees. */
export function viewOf({ setting, bids, index }: Table, i: number): Landscape {
  return landscapeOf(setting, bids, i, index);
}

/**
 * Advertiser i's best response to what it sees.
 *
 * @param width - partial choices its search keeps: 0 for a quick answer that is short of the best by less than one step, as dynamics need it
 */
export function answer({ bidders, format }: Table, i: number, landscape: Landscape, width: number): Response {
  return bestResponse(landscape, bidders[i], { format, width });
}

/**
 * A response as multipliers to bid with: in first price just above the thresholds; otherwise anywhere between a threshold and the next is the same
 * to the advertiser, and it stays as near as it may to where it was, so as not to disturb the others.
 *
 * @param current - the advertiser's row now
 */
export function toRow(
  table: Table,
  landscape: Landscape,
  response: Response,
  current: Float64Array,
): Float64Array {
  const { format, cap } = table;
  return response.multipliers.map((multiplier, k) => {
    if (!(multiplier > 0)) return multiplier;
    if (format === 'fpa') return multiplier === 1 ? 1 : Math.min(cap, multiplier * (1 + ABOVE_TIE));
    const next = nextThreshold(landscape, k, multiplier) ?? cap;
    // A hundredth of the gap keeps clear of ties on both sides.
    const margin = (next - multiplier) / 100;
    return Math.min(Math.max(current[k] || 0, multiplier + margin), next - margin);
  });
}

/** The first threshold of bucket k above `multiplier`; undefined when there is none. */
function nextThreshold(
  { thresholds, bucketOffsets }: Landscape,
  k: number,
  multiplier: number,
): number | undefined {
  let low = bucketOffsets[k];
  let high = bucketOffsets[k + 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (thresholds[middle] <= multiplier) low = middle + 1;
    else high = middle;
  }
  return low < bucketOffsets[k + 1] ? thresholds[low] : undefined;
}

/** Entries of each advertiser in each bucket, shape (advertisers · K,). */
function entriesOfBuckets({ market, buckets }: Setting): Uint32Array {
  const held = new Uint32Array(market.advertisers * buckets.count);
  const { advertiserOf } = market;
  for (let e = 0; e < advertiserOf.length; e++) held[advertiserOf[e] * buckets.count + buckets.ofEntry[e]]++;
  return held;
}
