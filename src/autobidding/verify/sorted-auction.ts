// One position auction, decided the obvious way: sort everybody, then read off slots and prices. Slow, and shares nothing with the kernels.

import { threefry2x32 } from '../../core/rng.ts';
import type { AuctionRules, Market } from '../types.ts';

/** "ties": the second word of the key under which auction and advertiser are hashed. */
const TIE_KEY = 0x74696573;

/** What the entries of the auctions run so far got; entries of other auctions keep what they had. */
export interface EntryOutcomes {
  /** δ of the slot won, 0 without one. Shape (entries,). */
  readonly discount: Float64Array;
  /** Money paid, shape (entries,). */
  readonly payment: Float64Array;
}

export function emptyOutcomes(entries: number): EntryOutcomes {
  return { discount: new Float64Array(entries), payment: new Float64Array(entries) };
}

/**
 * Runs auction `j` on the bids given.
 *
 * Entries that bid nothing or less than the reserve are dropped; the others are sorted by score = factor · bid + boost. The price of a slot is
 * the least bid that would still keep it, and at least the reserve, as if entries of the same owner behind were not there. First price charges
 * the bid; GSP the price of the own slot; VCG each step from slot t to slot t + 1 at the price of slot t.
 *
 * @param bids - shape (entries,); only those of auction `j` are read
 * @param out - its entries of auction `j` are overwritten
 *
 * O(P log P + P · S) for P participants.
 */
export function runSortedAuction(
  market: Market,
  rules: AuctionRules,
  j: number,
  bids: Float64Array,
  out: EntryOutcomes,
): void {
  const { discounts } = market;
  const ranked = rankEntries(market, rules, j, bids);
  const reserve = reserveAt(rules, j);
  for (let e = market.offsets[j]; e < market.offsets[j + 1]; e++) {
    out.discount[e] = 0;
    out.payment[e] = 0;
  }
  for (let s = 0; s < Math.min(ranked.length, discounts.length); s++) {
    const e = ranked[s];
    if (discounts[s] === 0) break;
    out.discount[e] = discounts[s];
    if (rules.format === 'fpa') {
      out.payment[e] = discounts[s] * bids[e];
      continue;
    }
    const prices = pricesBehind(market, rules, ranked, s, bids, reserve);
    if (rules.format === 'gsp') {
      out.payment[e] = discounts[s] * (prices[0] ?? reserve);
      continue;
    }
    let payment = 0;
    for (let t = discounts.length - 1; t >= s; t--) {
      payment += (discounts[t] - (discounts[t + 1] ?? 0)) * (prices[t - s] ?? reserve);
    }
    out.payment[e] = payment;
  }
}

/** Entries of auction `j` that take part, best score first. */
export function rankEntries(market: Market, rules: AuctionRules, j: number, bids: Float64Array): number[] {
  const { offsets } = market;
  const reserve = reserveAt(rules, j);
  const ranked: number[] = [];
  for (let e = offsets[j]; e < offsets[j + 1]; e++) {
    if (bids[e] > 0 && bids[e] >= reserve) ranked.push(e);
  }
  const tie = tieOrder(market, rules, j);
  return ranked.sort((a, b) => scoreOf(rules, b, bids[b]) - scoreOf(rules, a, bids[a]) || tie(a, b));
}

export function scoreOf({ factors, boosts }: AuctionRules, e: number, bid: number): number {
  return (factors?.[e] ?? 1) * bid + (boosts?.[e] ?? 0);
}

/** The least bid ≥ 0 with which entry `e` has `score`. */
export function bidOfScore({ factors, boosts }: AuctionRules, e: number, score: number): number {
  return Math.max(0, (score - (boosts?.[e] ?? 0)) / (factors?.[e] ?? 1));
}

export function reserveAt({ reserve = 0 }: AuctionRules, j: number): number {
  return typeof reserve === 'number' ? reserve : reserve[j];
}

export function ownerOf({ owners }: AuctionRules, advertiser: number): number {
  return owners?.[advertiser] ?? advertiser;
}

/** Which of two entries of auction `j` with equal scores comes first: negative for `a`. */
export function tieOrder(
  { advertiserOf }: Market,
  { ties = 'index' }: AuctionRules,
  j: number,
): (a: number, b: number) => number {
  if (ties === 'index') return (a, b) => a - b;
  const words = new Uint32Array(2);
  const draw = (e: number) => {
    threefry2x32(ties.seed, TIE_KEY, j, advertiserOf[e], words);
    return words[0];
  };
  return (a, b) => draw(a) - draw(b) || a - b;
}

/** The least bids with which entry `e` keeps slot s, s + 1, …: set by the entries of other owners that rank behind it, best first. */
function pricesBehind(
  { advertiserOf }: Market,
  rules: AuctionRules,
  ranked: readonly number[],
  s: number,
  bids: Float64Array,
  reserve: number,
): number[] {
  const e = ranked[s];
  const owner = ownerOf(rules, advertiserOf[e]);
  return ranked
    .slice(s + 1)
    .filter((other) => ownerOf(rules, advertiserOf[other]) !== owner)
    .map((rival) => Math.max(reserve, bidOfScore(rules, e, scoreOf(rules, rival, bids[rival]))));
}
