// Which entries of an auction are alone of their owner, and which are not.

import type { Arena } from './arena.ts';

/** Tells for one auction at a time how many of its entries each owner has. */
export interface OwnerGroups {
  /** Looks at auction `j`. @returns whether any owner has more than one entry in it */
  visit(j: number): boolean;
  /** Whether the owner of entry `e` of the visited auction has another entry in it; only after `visit` said that some owner has. */
  isShared(e: number): boolean;
}

/** Without `owners` every advertiser is its own, and only several entries of one advertiser are a group. */
export function ownerGroups({ market, owners }: Arena): OwnerGroups {
  const { offsets, advertiserOf } = market;
  const counts = new Map<number, number>();
  const ownerOf = (e: number): number => (owners ? owners[advertiserOf[e]] : advertiserOf[e]);
  const hasNeighbours = (j: number): boolean => {
    for (let e = offsets[j] + 1; e < offsets[j + 1]; e++)
      if (advertiserOf[e] === advertiserOf[e - 1]) return true;
    return false;
  };
  return {
    visit: (j) => {
      // Entries of one advertiser are neighbours: most auctions are done with at a glance.
      if (!owners && !hasNeighbours(j)) return false;
      counts.clear();
      for (let e = offsets[j]; e < offsets[j + 1]; e++)
        counts.set(ownerOf(e), (counts.get(ownerOf(e)) ?? 0) + 1);
      return counts.size < offsets[j + 1] - offsets[j];
    },
    isShared: (e) => counts.get(ownerOf(e))! > 1,
  };
}
