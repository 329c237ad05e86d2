// The best that one bidder can do against the others' bids, in the strategies it has: one multiplier a bucket.

import { requireInteger, requireNumber, requireOneOf } from '../../core/check.ts';
import { AUCTION_FORMATS, type AuctionFormat, type Bidder, type Landscape, type Response } from '../types.ts';
import { type Choices, undominated } from './choices.ts';
import { type Goal, goalOf } from './goal.ts';
import { hasEntries, multiplierAt, respondByRule } from './multipliers.ts';
import { type Relaxation, relax } from './relax.ts';
import { searchChoices } from './search.ts';
import { topUp } from './top-up.ts';

export interface ResponseOptions {
  /** Format of the auctions the landscape is of. */
  format: AuctionFormat;
  /** Partial choices that the exact search keeps; 0: no search, the topped-up whole part of the relaxation. Default 4096. */
  width?: number | undefined;
  /** The search stops when `upperBound` is within this share of what is reached. Default 10⁻⁷. */
  tolerance?: number | undefined;
}

/**
 * The multipliers with which a bidder reaches the most value (or utility) within its target and budget, others' bids fixed.
 *
 * A multiple-choice knapsack: each bucket takes one step of its landscape or bids nothing. Dominated steps are left out; the relaxation, solved
 * exactly on the hulls, bounds what can be reached; its whole part is feasible and is topped up; a search then improves it, mostly to the
 * optimum, and lowers the bound to what it proved. Among equals the cheaper. A value bidder without budget
 * in first price with entries in one bucket bids exactly 1: with spend = multiplier · value that is weakly dominant. A `manual` bidder's
 * landscape is in multiples of its bid, so its response is 1 throughout.
 *
 * @param bidder - what it is after
 * @returns multipliers and what they give, as the landscape promises: ties won
 * @throws {InvalidArgumentError} a budget or multiplier is negative or NaN
 *
 * O(steps + E log E) for E edges of hulls. Source: derived; the bids of arXiv 2311.10679 are of this form.
 */
export function bestResponse(
  landscape: Landscape,
  bidder: Bidder,
  { format, width = 4096, tolerance = 1e-7 }: ResponseOptions,
): Response {
  requireOneOf('bestResponse: format', format, AUCTION_FORMATS);
  requireInteger('bestResponse: width', width, 0);
  requireNumber('bestResponse: tolerance', tolerance, 0);
  if (bidder.kind === 'manual') {
    requireNumber('bestResponse: bidder.bid', bidder.bid, 0);
    return respondByRule(landscape, 1, format);
  }
  if (bidder.kind === 'fixed') {
    requireNumber('bestResponse: bidder.multiplier', bidder.multiplier, 0);
    return respondByRule(landscape, bidder.multiplier, format);
  }
  const goal = goalOf('bestResponse', bidder);
  const choices = undominated(landscape, goal);
  const relaxation = relax(choices, goal);
  const start = relaxation.floor.slice();
  topUp(choices, goal, start);
  const { picked, bound } = searchChoices(choices, goal, relaxation, start, { width, tolerance });
  const { multipliers, value, spend } = toBids(landscape, choices, picked);
  const response = {
    multipliers,
    value,
    spend,
    upperBound: bound,
    multiplierOfTarget: priceOfTarget(relaxation, goal),
    unconstrained: relaxation.cutBucket < 0,
  };
  const only = onlyBucket(landscape);
  if (format === 'fpa' && goal.valueWeight > 0 && only >= 0) {
    response.multipliers[only] = 1;
    response.spend = value;
    response.upperBound = value;
  }
  return response;
}

/** Multipliers of a choice a bucket, and what they give. */
export function toBids(
  landscape: Landscape,
  { step }: Choices,
  picked: ArrayLike<number>,
): { multipliers: Float64Array; value: number; spend: number } {
  const bids = { multipliers: new Float64Array(picked.length), value: 0, spend: 0 };
  for (let k = 0; k < picked.length; k++) {
    const t = step[picked[k]];
    bids.multipliers[k] = multiplierAt(landscape, k, t);
    if (t < 0) continue;
    bids.value += landscape.value[t];
    bids.spend += landscape.spend[t];
  }
  return bids;
}

/** λ of the target: what a unit of slack in value − spend is worth. */
export function priceOfTarget({ slope, targetLimits }: Relaxation, goal: Goal): number {
  // Without a budget cost is spend − value, so the slope is λ itself; else gain − slope · cost is maximised, which is V + λ (V − P) over 1 + λ.
  if (goal.valueWeight > 0) return slope;
  return targetLimits ? slope / (1 - slope) : 0;
}

/** The bucket with all of the advertiser's entries, or −1. */
function onlyBucket(landscape: Landscape): number {
  let only = -1;
  for (let k = 0; k < landscape.bucketOffsets.length - 1; k++) {
    if (!hasEntries(landscape, k)) continue;
    if (only >= 0) return -1;
    only = k;
  }
  return only;
}
