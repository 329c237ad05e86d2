// How far recorded bids are from the best that each advertiser could have done against the others.

import { type RunOptions, yieldToEventLoop } from '../../core/progress.ts';
import { summariseGap } from '../equilibrium/equilibrium-gap.ts';
import { objectiveOf, overspendOf } from '../equilibrium/objective.ts';
import { exactLandscapes } from '../landscape/index.ts';
import { bestResponse } from '../response/index.ts';
import type { AdvertiserRegret, Bidder, EquilibriumGap, MarketOutcome, Setting } from '../types.ts';

/**
 * What each advertiser would have gained with the best multiplier for each bucket, the others' bids as recorded.
 *
 * Recorded bids need not be multiples of values, so this is no certificate of an equilibrium: it may be that no multipliers do as well
 * (regret 0), and targets may be missed (overspend).
 *
 * O(entries · slots), as one pass of best responses.
 */
export async function recordedGap(
  setting: Setting,
  bids: Float64Array,
  { totals }: MarketOutcome,
  { signal }: RunOptions = {},
): Promise<EquilibriumGap> {
  const landscapes = exactLandscapes(setting, bids);
  await yieldToEventLoop();
  signal?.throwIfAborted();
  const bidders = landscapes.map((_, i): Bidder => setting.bidders?.[i] ?? { kind: 'value' });
  const advertisers = landscapes.map((landscape, i): AdvertiserRegret => {
    const bidder = bidders[i];
    const [value, spend] = [totals.value[i], totals.spend[i]];
    const own = objectiveOf(bidder, value, spend);
    const overspend = overspendOf(bidder, value, spend);
    if (bidder.kind === 'fixed' || bidder.kind === 'manual') {
      const deviation = new Float64Array(setting.buckets.count).fill(Number.NaN);
      return { value, spend, best: own, bestBound: own, regret: 0, regretBound: 0, overspend, deviation };
    }
    const response = bestResponse(landscape, bidder, { format: setting.rules.format });
    const best = Math.max(own, objectiveOf(bidder, response.value, response.spend));
    const bestBound = Math.max(best, response.upperBound);
    return {
      ...{ value, spend, best, bestBound, overspend },
      regret: relativeGain(best, own),
      regretBound: relativeGain(bestBound, own),
      deviation: response.multipliers,
    };
  });
  return summariseGap({ bidders }, advertisers);
}

function relativeGain(best: number, own: number): number {
  if (best <= own) return 0;
  return own > 0 ? best / own - 1 : Infinity;
}
