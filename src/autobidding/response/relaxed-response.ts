// The best response to limits that hold on average: a mixture of at most two rows of multipliers.

import { requireOneOf } from '../../core/check.ts';
import { AUCTION_FORMATS, type Bidder, type Landscape, type MixedStrategy } from '../types.ts';
import { bestResponse, priceOfTarget, type ResponseOptions, toBids } from './best-response.ts';
import { undominated } from './choices.ts';
import { goalOf } from './goal.ts';
import { relax } from './relax.ts';

/** A mixed strategy that is optimal where target and budget bind in expectation. */
export interface RelaxedResponse extends MixedStrategy {
  /** Expected value; no mixture (nor pure response) within the limits has a greater objective. */
  readonly value: number;
  /** Expected spend. */
  readonly spend: number;
  /** λ of the target's constraint; 0 when it does not bind. */
  readonly multiplierOfTarget: number;
  /** Neither target nor budget binds: a pure response is optimal. */
  readonly unconstrained: boolean;
}

/**
 * The most expected value (or utility) that a mixture of responses reaches with expected spend within target and budget.
 *
 * The optimum of the relaxation of `bestResponse`: all buckets at vertices of their hulls but one, which lies on an edge. The rows are those of
 * the edge's ends, so that the support is one or two, also where there are a target and a budget. Bidders by rule have one row.
 *
 * @throws as `bestResponse`. O(steps). Source: derived.
 */
export function relaxedResponse(
  landscape: Landscape,
  bidder: Bidder,
  { format }: Pick<ResponseOptions, 'format'>,
): RelaxedResponse {
  requireOneOf('relaxedResponse: format', format, AUCTION_FORMATS);
  if (bidder.kind === 'fixed' || bidder.kind === 'manual') {
    const { multipliers, value, spend } = bestResponse(landscape, bidder, { format });
    return {
      weights: Float64Array.of(1),
      multipliers,
      value,
      spend,
      multiplierOfTarget: 0,
      unconstrained: false,
    };
  }
  const goal = goalOf('relaxedResponse', bidder);
  const choices = undominated(landscape, goal);
  const relaxation = relax(choices, goal);
  const { floor, cutBucket, cutChoice, cutWeight } = relaxation;
  const multiplierOfTarget = priceOfTarget(relaxation, goal);
  const below = toBids(landscape, choices, floor);
  const unconstrained = cutBucket < 0;
  if (!(cutWeight > 0)) {
    return { weights: Float64Array.of(1), ...below, multiplierOfTarget, unconstrained };
  }
  const above = toBids(
    landscape,
    choices,
    floor.map((a, k) => (k === cutBucket ? cutChoice : a)),
  );
  const multipliers = new Float64Array(2 * floor.length);
  multipliers.set(below.multipliers);
  multipliers.set(above.multipliers, floor.length);
  return {
    weights: Float64Array.of(1 - cutWeight, cutWeight),
    multipliers,
    value: below.value + cutWeight * (above.value - below.value),
    spend: below.spend + cutWeight * (above.spend - below.spend),
    multiplierOfTarget,
    unconstrained,
  };
}
