// The smallest market that loses half its welfare: the tight case of the price of anarchy.

import { requireNumber } from '../../core/check.ts';
import { uniformBuckets } from '../market/uniform-buckets.ts';
import type { Buckets, Market, Profile } from '../types.ts';

/** A market with known equilibria of welfare 1 + ε where 2 is possible. */
export interface PoaInstance {
  readonly market: Market;
  /** K = 1. */
  readonly uniform: Buckets;
  /** K = 2: each auction a bucket of its own. */
  readonly split: Buckets;
  /** An equilibrium of the second-price rules at K = 1 (A bids 1/ε + 1, B bids 1), not of first price. */
  readonly uniformProfile: Profile;
  /** An equilibrium of first price at K = 2: A bids next to nothing where nobody competes, and just more than B where B does. */
  readonly splitProfile: Profile;
  /** W = 1 + ε in both. */
  readonly welfare: number;
  /** W* = 2. */
  readonly optimum: number;
  /** Cap that leaves room for the profiles: settings need at least it. */
  readonly maxMultiplier: number;
}

/**
 * The family with one slot, A worth (1, ε) and B worth (0, 1) in two auctions: welfare 1 + ε of 2 at equilibrium under GSP and VCG, and
 * under first price with two multipliers (the worst case of 2 is stated in the abstract of arXiv 2311.10679; this family is derived).
 *
 * @param epsilon - in [1e-6, 1)
 * @throws {InvalidArgumentError} epsilon leaves that range
 */
export function poaInstance(epsilon: number): PoaInstance {
  requireNumber('poaInstance: epsilon', epsilon, 1e-6, 1 - 1e-6);
  const market: Market = {
    auctions: 2,
    advertisers: 2,
    offsets: Uint32Array.of(0, 1, 3),
    advertiserOf: Uint32Array.of(0, 0, 1),
    values: Float64Array.of(1, epsilon, 1),
    discounts: Float64Array.of(1),
    names: ['A', 'B'],
  };
  const above = (1 + 1e-9) / epsilon;
  return {
    market,
    uniform: uniformBuckets(market),
    split: { count: 2, ofEntry: Uint16Array.of(0, 1, 1) },
    uniformProfile: Float64Array.of(1 / epsilon + 1, 1),
    // A spends ε/2 + 1 + 1e-9 ≤ 1 + ε; B takes no part in the first auction.
    splitProfile: Float64Array.of(epsilon / 2, above, Number.NaN, 1),
    welfare: 1 + epsilon,
    optimum: 2,
    maxMultiplier: 1 / epsilon + 1,
  };
}
