// Whether advertisers have several entries in one auction.

import type { Market } from '../types.ts';

/** Whether any has: entries of an auction are in the order of their advertisers. O(entries). */
export function hasSeveralEntries({ auctions, offsets, advertiserOf }: Market): boolean {
  for (let j = 0; j < auctions; j++) {
    for (let e = offsets[j] + 1; e < offsets[j + 1]; e++) {
      if (advertiserOf[e] === advertiserOf[e - 1]) return true;
    }
  }
  return false;
}
