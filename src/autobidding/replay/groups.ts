// Which auctions are drawn together in a bootstrap: those of a cluster, or a few at random where there are very many.

import { requireInteger, requireLength } from '../../core/check.ts';
import { createRng, shuffle } from '../../core/rng.ts';

/** A division of the auctions. */
export interface AuctionGroups {
  readonly count: number;
  /** Group of each auction, < count, shape (auctions,). */
  readonly of: Uint32Array;
  /** What a group is, for a sentence: "auctions", "clusters", "random groups of 50 auctions". */
  readonly name: string;
}

/** With so many groups the standard error of a bootstrap is off by 1/√(2 · 2000) = 1.6 %: more would only cost time. */
const MOST_GROUPS = 2000;

/** With so few, intervals are wide and their tails unknown. */
const LEAST_GROUPS = 100;

/** Sums of groups that are held at once: 160 MB. */
const MOST_SUMS = 2e7;

/**
 * Groups of auctions to draw from.
 *
 * Clusters as they are; else every auction by itself, or, beyond 2000 auctions, random groups of equal size (by one at most): a sum over
 * random groups drawn with replacement varies as a sum over auctions does, at a cost that does not grow with their number.
 *
 * @param clusters - label of each auction, shape (auctions,): days, users, sessions; what depends on each other is drawn together
 * @param width - columns that will be summed, which bounds the number of groups
 * @throws {ShapeError} `clusters` has another length
 *
 * O(auctions).
 */
export function groupAuctions(
  auctions: number,
  {
    clusters,
    width,
    seed,
  }: { clusters?: ArrayLike<number | string> | undefined; width: number; seed: number },
): AuctionGroups {
  requireInteger('groupAuctions: auctions', auctions, 1);
  if (clusters !== undefined) return clusterGroups(auctions, clusters);
  const most = Math.max(LEAST_GROUPS, Math.min(MOST_GROUPS, Math.floor(MOST_SUMS / width)));
  const of = Uint32Array.from({ length: auctions }, (_, j) => j);
  if (auctions <= most) return { count: auctions, of, name: 'auctions' };
  shuffle(of, createRng(seed).fork('auction groups'));
  for (let j = 0; j < auctions; j++) of[j] %= most;
  return { count: most, of, name: `random groups of about ${Math.round(auctions / most)} auctions` };
}

function clusterGroups(auctions: number, clusters: ArrayLike<number | string>): AuctionGroups {
  requireLength('groupAuctions: clusters', clusters, auctions);
  const numbers = new Map<number | string, number>();
  const of = new Uint32Array(auctions);
  for (let j = 0; j < auctions; j++) {
    const label = clusters[j];
    let number = numbers.get(label);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(label, number);
    }
    of[j] = number;
  }
  return { count: numbers.size, of, name: 'clusters' };
}
