// Exact landscapes: every multiplier at which anything changes, for all advertisers at once or for one.

import { requireInteger } from '../../core/check.ts';
import type { Landscape, Market, Setting } from '../types.ts';
import { type Arena, layOutArena } from './arena.ts';
import { addGroupSteps, groupStepsPerEntry } from './group-steps.ts';
import { type OwnerGroups, ownerGroups } from './owner-groups.ts';
import { emptyRanking, type Ranking, rankAuction } from './ranking.ts';
import { siblingsOf } from './siblings.ts';
import { sortSteps } from './sort-steps.ts';
import { addEntrySteps, type StepStore } from './steps.ts';

/**
 * What every advertiser would get at every multiplier, the others' bids fixed.
 *
 * One pass over the auctions: the slots + 1 best scores of an auction give each participant the best others. Ties count as won: at its
 * threshold in first price, just above it in the other formats. Several entries of an advertiser scale together. A `manual` bidder's landscape
 * is in multiples of the bid it makes everywhere.
 *
 * @param bids - one for each entry, shape (entries,), finite and ≥ 0; an advertiser's own bids do not enter its landscape
 * @returns one landscape an advertiser, thresholds ≤ maxMultiplier
 * @throws {InvalidArgumentError} a bid, bucket or rule leaves its domain @throws {ShapeError} lengths do not fit the market
 *
 * O(entries · slots), with a radix sort; 24 bytes for each of at most entries · slots steps, twice.
 * Source: derived, for the auctions of arXiv 2311.10679.
 */
export function exactLandscapes(setting: Setting, bids: Float64Array): Landscape[] {
  const arena = layOutArena('exactLandscapes', setting, bids);
  const { market, buckets, bucketOf } = arena;
  const { auctions, advertisers, advertiserOf, offsets } = market;
  const groups = ownerGroups(arena);
  const counts = new Uint32Array(advertisers * buckets);
  const room = new Float64Array(advertisers * buckets);
  for (let j = 0; j < auctions; j++) {
    const shared = groups.visit(j);
    for (let e = offsets[j]; e < offsets[j + 1]; e++) {
      const segment = advertiserOf[e] * buckets + bucketOf[e];
      counts[segment]++;
      room[segment] += roomOf(arena, e, j, shared);
    }
  }
  const { store, starts } = makeStore(room);
  const ranking = emptyRanking(arena.slots + 1);
  for (let j = 0; j < auctions; j++) {
    const shared = groups.visit(j);
    rankAuction(arena, j, ranking);
    for (let e = offsets[j]; e < offsets[j + 1]; e++) {
      addSteps(
        arena,
        j,
        e,
        shared ? groups : undefined,
        ranking,
        store,
        advertiserOf[e] * buckets + bucketOf[e],
      );
    }
  }
  return Array.from({ length: advertisers }, (_, i) =>
    sortSteps(store, starts, {
      first: i * buckets,
      format: arena.format,
      entries: counts.slice(i * buckets, (i + 1) * buckets),
      scalesValues: setting.bidders?.[i].kind !== 'manual',
    }),
  );
}

/** Where each advertiser's entries are, so that one advertiser's landscape costs its own auctions only. */
export interface EntryIndex {
  /** Shape (advertisers + 1,). */
  readonly starts: Uint32Array;
  /** Entries by advertiser, ascending, shape (entries,). */
  readonly entries: Uint32Array;
  /** Auction of each of `entries`, shape (entries,). */
  readonly auctions: Uint32Array;
}

/** The entries of each advertiser. O(entries), 8 bytes an entry. */
export function indexEntries({ advertisers, auctions, offsets, advertiserOf }: Market): EntryIndex {
  const starts = new Uint32Array(advertisers + 1);
  for (let e = 0; e < advertiserOf.length; e++) starts[advertiserOf[e] + 1]++;
  for (let i = 0; i < advertisers; i++) starts[i + 1] += starts[i];
  const next = starts.slice();
  const index = {
    starts,
    entries: new Uint32Array(advertiserOf.length),
    auctions: new Uint32Array(advertiserOf.length),
  };
  for (let j = 0; j < auctions; j++) {
    for (let e = offsets[j]; e < offsets[j + 1]; e++) {
      const at = next[advertiserOf[e]]++;
      index.entries[at] = e;
      index.auctions[at] = j;
    }
  }
  return index;
}

/**
 * The landscape of one advertiser alone, the same as `exactLandscapes(setting, bids)[advertiser]`: for what-if questions and for dynamics
 * that move one advertiser at a time.
 *
 * @param advertiser - its number, < advertisers
 * @param index - of `indexEntries(setting.market)`; made here when left out, which reads all entries
 * @throws as `exactLandscapes`; {InvalidArgumentError} there is no such advertiser
 *
 * O(own auctions · (participants + slots)), and a check of all bids.
 */
export function landscapeOf(
  setting: Setting,
  bids: Float64Array,
  advertiser: number,
  index: EntryIndex = indexEntries(setting.market),
): Landscape {
  const arena = layOutArena('landscapeOf', setting, bids);
  requireInteger('landscapeOf: advertiser', advertiser, 0, arena.market.advertisers - 1);
  const { buckets, bucketOf } = arena;
  const groups = ownerGroups(arena);
  const counts = new Uint32Array(buckets);
  const room = new Float64Array(buckets);
  const [start, end] = [index.starts[advertiser], index.starts[advertiser + 1]];
  for (let at = start; at < end; at++) {
    const e = index.entries[at];
    counts[bucketOf[e]]++;
    room[bucketOf[e]] += roomOf(arena, e, index.auctions[at], groups.visit(index.auctions[at]));
  }
  const { store, starts } = makeStore(room);
  const ranking = emptyRanking(arena.slots + 1);
  for (let at = start; at < end; at++) {
    const e = index.entries[at];
    const j = index.auctions[at];
    const shared = groups.visit(j);
    rankAuction(arena, j, ranking);
    addSteps(arena, j, e, shared ? groups : undefined, ranking, store, bucketOf[e]);
  }
  return sortSteps(store, starts, {
    first: 0,
    format: arena.format,
    entries: counts,
    scalesValues: setting.bidders?.[advertiser].kind !== 'manual',
  });
}

/** Steps that entry `e` has at most. */
function roomOf({ slots, market }: Arena, e: number, j: number, shared: boolean): number {
  return shared ? groupStepsPerEntry(slots, siblingsOf(market, e, j).length) : slots;
}

function makeStore(room: Float64Array): { store: StepStore; starts: Float64Array } {
  const starts = new Float64Array(room.length);
  let total = 0;
  for (let segment = 0; segment < room.length; segment++) {
    starts[segment] = total;
    total += room[segment];
  }
  const store = {
    thresholds: new Float64Array(total),
    value: new Float64Array(total),
    spend: new Float64Array(total),
    cursors: starts.slice(),
  };
  return { store, starts };
}

/** @param groups - of auction j when some owner has several entries in it */
function addSteps(
  arena: Arena,
  j: number,
  e: number,
  groups: OwnerGroups | undefined,
  ranking: Ranking,
  store: StepStore,
  segment: number,
): void {
  if (!groups?.isShared(e)) {
    addEntrySteps(arena, j, e, ranking, store, segment);
    return;
  }
  const own = siblingsOf(arena.market, e, j);
  if (own[0] !== e) return; // done with the first of them
  const { offsets } = arena.market;
  const all = emptyRanking(offsets[j + 1] - offsets[j]);
  rankAuction(arena, j, all);
  addGroupSteps(arena, j, own, all, store, segment);
}
