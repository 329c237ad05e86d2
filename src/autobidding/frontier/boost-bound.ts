// How much welfare is lost at most where scores are boosted by value.
//
// Derived, for any of the three formats. Look at one layer of the slots: the t places that are worth δ_t − δ_{t+1} more than the next. Where
// winner k is there in place of o, of higher value, welfare lacks v_o − v_k, and k pays what it needs to beat o's score. If o bids at least
// β v_o, that is p(x) v_o or more, x = v_k / v_o < 1: β + c (1 − x) with scores b + c v, and β x^−γ with scores v^γ b. All payments come out of
// the value won: Σ p v_o ≤ P ≤ (1 + ε) W. So W* / W − 1 = Σ (1 − x) v_o / W ≤ (1 + ε) max_x (1 − x) / p(x). GSP and first price charge no less than
// VCG at the same bids.
//
// With β = 1 and ε = 0 the additive case is the (c + 2) / (c + 1) recalled from Deng, Mao, Mirrokni and Zuo ("Towards efficient auctions in an
// auto-bidding world", WWW 2021), whose text was not at hand; the multiplicative case is ours.

import { requireNumber } from '../../core/check.ts';

/** How scores are boosted. */
export type BoostPolicy = 'additive-boost' | 'multiplicative-boost';

/** What is known of the bids; the defaults are those of the theorem. */
export interface BoostBoundOptions {
  /** β ≥ 0: entries that lose their place to one of less value bid at least this share of theirs. Default 1. */
  bidShare?: number | undefined;
  /** ε ≥ 0: spend is at most (1 + ε) · value, of all advertisers together. Default 0. */
  overspend?: number | undefined;
}

/**
 * The most that W* / W can be under boosts of scores by value.
 *
 * @param policy - scores b + level · v, or v^level · b
 * @param level - ≥ 0, dimensionless; 0 is no boost: 2
 * @returns additive: 1 + (1 + ε) / (β + c); multiplicative: 1 + (1 + ε) γ^γ / (1 + γ)^(1 + γ) / β; Infinity where bids may be 0
 * @throws {InvalidArgumentError} a number is negative or not finite
 */
export function boostBound(
  policy: BoostPolicy,
  level: number,
  { bidShare = 1, overspend = 0 }: BoostBoundOptions = {},
): number {
  requireNumber('boostBound: level', level, 0);
  requireNumber('boostBound: bidShare', bidShare, 0);
  requireNumber('boostBound: overspend', overspend, 0);
  // A bid of 0 takes no part: nobody has to beat its boost.
  if (bidShare === 0) return Infinity;
  const lostPerPaid = policy === 'additive-boost' ? 1 / (bidShare + level) : worstFactor(level) / bidShare;
  return 1 + (1 + overspend) * lostPerPaid;
}

/** max over x of (1 − x) x^γ, at x = γ / (1 + γ). In logarithms: γ^γ leaves the range of doubles from 144 on. */
function worstFactor(gamma: number): number {
  if (gamma === 0) return 1;
  return Math.exp(gamma * (Math.log(gamma) - Math.log1p(gamma))) / (1 + gamma);
}
