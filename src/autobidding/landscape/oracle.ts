// Oracle of landscapes: runs the auctions, at one multiplier after the other. Slow and obvious.

import type { AdvertiserTotals, AuctionRules, Market, Setting } from '../types.ts';

/**
 * What one advertiser gets when it bids multipliers[k] × value in bucket k (a `manual` bidder: × its bid), the others as in `bids`.
 *
 * Every auction is sorted anew. Of equal scores the advertiser's come first: ties count as won.
 *
 * O(entries log entries).
 */
export function outcomeByAuctions(
  setting: Setting,
  bids: Float64Array,
  advertiser: number,
  multipliers: ArrayLike<number>,
): { value: number; spend: number } {
  const { market, buckets, bidders } = setting;
  const bidder = bidders?.[advertiser];
  const own = bids.map((bid, e) => {
    if (market.advertiserOf[e] !== advertiser) return bid;
    return multipliers[buckets.ofEntry[e]] * (bidder?.kind === 'manual' ? bidder.bid : market.values[e]);
  });
  const totals = totalsBySorting(market, setting.rules, own, advertiser);
  return { value: totals.value[advertiser], spend: totals.spend[advertiser] };
}

/**
 * Everybody's value and spend: each auction is sorted by score, and a price is the least bid that keeps the place in the ranking without the
 * owner's other entries below.
 *
 * @param favoured - the advertiser that wins ties; other ties go to the entry that comes first
 */
export function totalsBySorting(
  market: Market,
  rules: AuctionRules,
  bids: Float64Array,
  favoured: number,
): AdvertiserTotals {
  const { offsets, advertiserOf, values, discounts, advertisers } = market;
  const ownerOf = (e: number): number => rules.owners?.[advertiserOf[e]] ?? advertiserOf[e];
  const factorOf = (e: number): number => rules.factors?.[e] ?? 1;
  const boostOf = (e: number): number => rules.boosts?.[e] ?? 0;
  const scoreOf = (e: number): number => factorOf(e) * bids[e] + boostOf(e);
  const totals = {
    value: new Float64Array(advertisers),
    spend: new Float64Array(advertisers),
    wins: new Float64Array(advertisers),
  };
  for (let j = 0; j < market.auctions; j++) {
    const reserve = typeof rules.reserve === 'object' ? rules.reserve[j] : (rules.reserve ?? 0);
    const ranked: number[] = [];
    for (let e = offsets[j]; e < offsets[j + 1]; e++) if (bids[e] > 0 && bids[e] >= reserve) ranked.push(e);
    const isFavoured = (e: number): number => Number(advertiserOf[e] === favoured);
    ranked.sort((a, b) => scoreOf(b) - scoreOf(a) || isFavoured(b) - isFavoured(a) || a - b);
    ranked.forEach((e, slot) => {
      if (slot >= discounts.length || discounts[slot] === 0) return;
      const below = ranked.slice(slot + 1).filter((other) => ownerOf(other) !== ownerOf(e));
      const prices = Array.from({ length: discounts.length }, (_, t) =>
        t < below.length
          ? Math.max(reserve, (scoreOf(below[t]) - boostOf(e)) / factorOf(e), 0)
          : Math.max(reserve, 0),
      );
      let paid = discounts[slot] * (rules.format === 'fpa' ? bids[e] : prices[0]);
      if (rules.format === 'vcg') {
        paid = 0;
        for (let t = slot; t < discounts.length; t++) {
          paid += (discounts[t] - (discounts[t + 1] ?? 0)) * prices[t - slot];
        }
      }
      totals.value[advertiserOf[e]] += discounts[slot] * values[e];
      totals.spend[advertiserOf[e]] += paid;
      totals.wins[advertiserOf[e]]++;
    });
  }
  return totals;
}
