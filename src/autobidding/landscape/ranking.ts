// The entries of one auction that may set somebody's price: the highest scores, in order.

import type { Arena } from './arena.ts';

/** The highest scores of an auction, filled anew for each. */
export interface Ranking {
  /** Entries kept; those with the highest scores. */
  count: number;
  /** Scores, descending. */
  readonly scores: Float64Array;
  /** Entry of each score. */
  readonly entries: Uint32Array;
}

/** @param depth - entries to keep, ≥ 1 */
export function emptyRanking(depth: number): Ranking {
  return { count: 0, scores: new Float64Array(depth), entries: new Uint32Array(depth) };
}

/**
 * Ranks the entries of auction `j` by score and keeps as many as fit; of equal scores the one that comes first stays ahead.
 *
 * Entries that bid nothing or less than the reserve take no part. O(entries · depth) at worst, mostly O(entries).
 */
export function rankAuction(arena: Arena, j: number, ranking: Ranking): void {
  const { bids, factors, boosts } = arena;
  const { offsets } = arena.market;
  const { scores, entries } = ranking;
  const depth = scores.length;
  const reserve = reserveOf(arena, j);
  let count = 0;
  for (let e = offsets[j]; e < offsets[j + 1]; e++) {
    const bid = bids[e];
    if (bid <= 0 || bid < reserve) continue;
    const score = (factors ? factors[e] * bid : bid) + (boosts ? boosts[e] : 0);
    if (count === depth) {
      if (score <= scores[depth - 1]) continue;
    } else {
      count++;
    }
    let at = count - 1;
    while (at > 0 && scores[at - 1] < score) {
      scores[at] = scores[at - 1];
      entries[at] = entries[at - 1];
      at--;
    }
    scores[at] = score;
    entries[at] = e;
  }
  ranking.count = count;
}

/** The reserve price of auction `j`. */
export function reserveOf({ reserves, reserve }: Arena, j: number): number {
  return reserves.length > 0 ? reserves[j] : reserve;
}

/** The bid with which entry `e` has `score`, no less than the reserve. */
export function bidForScore({ factors, boosts }: Arena, e: number, score: number, reserve: number): number {
  const bid = (score - (boosts ? boosts[e] : 0)) / (factors ? factors[e] : 1);
  return bid > reserve ? bid : reserve; // the reserve is ≥ 0
}
