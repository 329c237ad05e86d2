// How much welfare is lost at most where scores are boosted by value.
//
// Derived, for any of the three formats. Look at one layer of the slots: the t places that are worth δ_t − δ_{t+1} more than the next. Where
// winner k is there in place of o, of higher value, k pays for it at least what it needs to beat o's score; o bids at least its value. That
// price is p(x) v_o or more, x = v_k / v_o < 1: 1 + c (1 − x) with scores b + c v, and x^−γ with scores v^γ b. All of it is paid out of the value
// won, W ≥ P / (1 + ε). So W* / W ≤ 1 + (1 + ε) max_x (1 − x) / p(x). GSP and first price charge no less than VCG at the same bids.
//
// The additive case is the (c + 2) / (c + 1) recalled from Deng, Mao, Mirrokni and Zuo ("Towards efficient auctions in an auto-bidding world",
// WWW 2021), whose text was not at hand; the multiplicative case is ours.

import { requireNumber } from '../../core/check.ts';

/** How scores are boosted. */
export type BoostPolicy = 'additive-boost' | 'multiplicative-boost';

/**
 * The most that W* / W can be where every bid is at least the value, and spend is at most (1 + overspend) · value in all.
 *
 * @param policy - scores b + level · v, or v^level · b
 * @param level - ≥ 0, dimensionless; 0 is no boost: 2
 * @param overspend - ε ≥ 0, of all advertisers together
 * @returns additive: 1 + (1 + ε) / (1 + c); multiplicative: 1 + (1 + ε) γ^γ / (1 + γ)^(1 + γ)
 * @throws {InvalidArgumentError} a number is negative or not finite
 */
export function boostBound(policy: BoostPolicy, level: number, overspend: number = 0): number {
  requireNumber('boostBound: level', level, 0);
  requireNumber('boostBound: overspend', overspend, 0);
  return 1 + (1 + overspend) * (policy === 'additive-boost' ? 1 / (1 + level) : worstFactor(level));
}

/** max over x of (1 − x) x^γ, at x = γ / (1 + γ). In logarithms: γ^γ leaves the range of doubles from 144 on. */
function worstFactor(gamma: number): number {
  if (gamma === 0) return 1;
  return Math.exp(gamma * (Math.log(gamma) - Math.log1p(gamma))) / (1 + gamma);
}
