// The most welfare that any allocation of the slots has.

import type { Bidder, Market } from '../types.ts';

/** Auctions whose welfare is added up before it goes to the total: short sums of similar numbers lose less. */
const AUCTIONS_PER_SUM = 1024;

/**
 * W* = Σ_j Σ_s δ_s · (s-th largest value in auction j), exact by the rearrangement inequality, whatever the reserves.
 *
 * O(entries · slots) at worst, O(entries) when most values do not make it to the top.
 */
export function optimalWelfare({ auctions, offsets, values, discounts }: Market): number {
  const slots = discounts.length;
  const top = new Float64Array(slots);
  let [welfare, part] = [0, 0];
  for (let j = 0; j < auctions; j++) {
    if (j % AUCTIONS_PER_SUM === 0) {
      welfare += part;
      part = 0;
    }
    let kept = 0;
    for (let e = offsets[j]; e < offsets[j + 1]; e++) {
      const value = values[e];
      if (kept === slots && value <= top[slots - 1]) continue;
      let s = kept < slots ? kept++ : slots - 1;
      for (; s > 0 && top[s - 1] < value; s--) top[s] = top[s - 1];
      top[s] = value;
    }
    for (let s = 0; s < kept; s++) part += discounts[s] * top[s];
  }
  return welfare + part;
}

/**
 * No allocation has more liquid welfare Σ min(V, budget) than this: min(W*, Σ min(budget, δ₁ Σ own values)). W* where nobody has a budget.
 *
 * O(entries).
 */
export function liquidOptimumBound(
  market: Market,
  bidders: readonly Bidder[] | undefined,
  optimum: number = optimalWelfare(market),
): number {
  if (!bidders?.some((bidder) => budgetOf(bidder) < Infinity)) return optimum;
  const most = new Float64Array(market.advertisers);
  const { advertiserOf, values, discounts } = market;
  for (let e = 0; e < values.length; e++) most[advertiserOf[e]] += discounts[0] * values[e];
  let bound = 0;
  for (let i = 0; i < most.length; i++) bound += Math.min(most[i], budgetOf(bidders[i]));
  return Math.min(optimum, bound);
}

/** A bidder's budget; Infinity where it has none. */
export function budgetOf(bidder: Bidder | undefined): number {
  return bidder && 'budget' in bidder ? (bidder.budget ?? Infinity) : Infinity;
}
