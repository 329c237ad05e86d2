// One auction by the book, slowly: rank everybody, and find each price as the least bid that keeps the place. The reference of the kernels,
// from which it shares nothing but the hash that breaks ties.

import { threefry2x32 } from '../../core/rng.ts';
import type { AuctionRules, Setting } from '../types.ts';

export interface OracleAuction {
  /** Entry that wins each slot sold, best slot first. */
  winners: number[];
  /** What each of them pays. */
  payments: number[];
  /** Whether equal scores of different owners decided a slot or its price. */
  tied: boolean;
}

/** O(P² · slots² · log P) for P participants. */
export function oracleAuction(setting: Setting, bids: Float64Array, auction: number): OracleAuction {
  const { discounts } = setting.market;
  const ranked = rankedEntries(setting, bids, auction);
  const sold = [...discounts].filter((discount) => discount > 0);
  const winners = ranked.slice(0, sold.length);
  const payments = winners.map((entry, s) => {
    const { format } = setting.rules;
    if (format === 'fpa') return sold[s] * bids[entry];
    const own = ownerOf(setting, entry);
    const rivals = ranked.filter((other, r) => other !== entry && (r < s || ownerOf(setting, other) !== own));
    const price = (slot: number) => leastBidFor(setting, bids, auction, entry, rivals, slot);
    if (format === 'gsp') return sold[s] * price(s);
    return sold
      .slice(s)
      .reduce((sum, discount, t) => sum + (discount - (sold[s + t + 1] ?? 0)) * price(s + t), 0);
  });
  const score = (entry: number) => scoreOf(setting.rules, bids, entry);
  const tied = winners.some(
    (entry, s) =>
      s + 1 < ranked.length &&
      score(entry) === score(ranked[s + 1]) &&
      ownerOf(setting, entry) !== ownerOf(setting, ranked[s + 1]),
  );
  return { winners, payments, tied };
}

/** The least bid with which an entry takes slot `slot` (0-based) or a better one against everybody who is not of its owner. */
export function oracleMinimumBid(
  setting: Setting,
  bids: Float64Array,
  auction: number,
  entry: number,
  slot: number,
): number {
  const own = ownerOf(setting, entry);
  const rivals = rankedEntries(setting, bids, auction).filter((other) => ownerOf(setting, other) !== own);
  return leastBidFor(setting, bids, auction, entry, rivals, slot);
}

/** The least of the bids at which something changes with which at most `slot` rivals score more. */
function leastBidFor(
  { rules }: Setting,
  bids: Float64Array,
  auction: number,
  entry: number,
  rivals: readonly number[],
  slot: number,
): number {
  const reserve = reserveOf(rules, auction);
  const factor = rules.factors?.[entry] ?? 1;
  const boost = rules.boosts?.[entry] ?? 0;
  const levels = rivals.map((rival) => (scoreOf(rules, bids, rival) - boost) / factor);
  const candidates = [...levels, 0].map((level) => Math.max(level, reserve)).sort((a, b) => a - b);
  return candidates.find((bid) => levels.filter((level) => level > bid).length <= slot) ?? reserve;
}

function rankedEntries(setting: Setting, bids: Float64Array, auction: number): number[] {
  const { market, rules } = setting;
  const reserve = reserveOf(rules, auction);
  const first = market.offsets[auction];
  return Array.from({ length: market.offsets[auction + 1] - first }, (_, p) => first + p)
    .filter((entry) => bids[entry] > 0 && bids[entry] >= reserve)
    .map((entry) => ({ entry, score: scoreOf(rules, bids, entry), tie: tieOf(setting, auction, entry) }))
    .sort((a, b) => b.score - a.score || a.tie - b.tie || a.entry - b.entry)
    .map(({ entry }) => entry);
}

function scoreOf({ factors, boosts }: AuctionRules, bids: Float64Array, entry: number): number {
  return bids[entry] * (factors?.[entry] ?? 1) + (boosts?.[entry] ?? 0);
}

function reserveOf({ reserve = 0 }: AuctionRules, auction: number): number {
  return typeof reserve === 'number' ? reserve : reserve[auction];
}

function ownerOf({ market, rules }: Setting, entry: number): number {
  const advertiser = market.advertiserOf[entry];
  return rules.owners ? rules.owners[advertiser] : advertiser;
}

function tieOf({ market, rules: { ties = 'index' } }: Setting, auction: number, entry: number): number {
  if (ties === 'index') return 0;
  const words = new Uint32Array(2);
  threefry2x32(ties.seed, 0x74696573, auction, market.advertiserOf[entry], words);
  return words[0];
}
