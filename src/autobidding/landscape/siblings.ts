// An advertiser's entries in one auction.

import type { Market } from '../types.ts';

/** All entries of e's advertiser in auction j, e among them; they are neighbours. */
export function siblingsOf({ advertiserOf, offsets }: Market, e: number, j: number): number[] {
  const siblings: number[] = [];
  for (let other = offsets[j]; other < offsets[j + 1]; other++) {
    if (advertiserOf[other] === advertiserOf[e]) siblings.push(other);
  }
  return siblings;
}
