// Who lost a place to someone of less value, and how much of their value they bid.

import type { Setting } from '../types.ts';

/**
 * The least bid ÷ value among entries that are placed lower by score than by value; 1 where there is none.
 *
 * Bids of 0 take no part, and so are placed last. Entries of equal score count as placed before, so that it does not hang on the tie rule.
 *
 * @param bids - shape (entries,)
 *
 * O(Σ participants²) at worst: only entries below the least share so far are ranked.
 */
export function displacedBidShare({ market, rules }: Setting, bids: Float64Array): number {
  const { auctions, offsets, values, discounts } = market;
  const { boosts, factors } = rules;
  const slots = discounts.reduce((count, discount) => count + (discount > 0 ? 1 : 0), 0);
  const score = (e: number) => (factors ? factors[e] : 1) * bids[e] + (boosts ? boosts[e] : 0);
  let least = 1;
  for (let j = 0; j < auctions; j++) {
    for (let e = offsets[j]; e < offsets[j + 1]; e++) {
      const share = bids[e] / values[e];
      if (share >= least) continue; // it would not lower the share
      const own = score(e);
      let better = 0;
      let before = 0;
      for (let other = offsets[j]; other < offsets[j + 1]; other++) {
        if (values[other] > values[e]) better++;
        if (other !== e && score(other) >= own) before++;
      }
      if (better < slots && (before > better || share === 0)) least = share;
    }
  }
  return least;
}
