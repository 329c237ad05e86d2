// How far recorded bids are from the best that each advertiser could have done against the others.

import { type RunOptions, yieldToEventLoop } from '../../core/progress.ts';
import { exactLandscapes } from '../landscape/exact-landscapes.ts';
import { bestResponse } from '../response/best-response.ts';
import type { AdvertiserRegret, EquilibriumGap, MarketOutcome, Setting } from '../types.ts';

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
  const advertisers = landscapes.map((landscape, i): AdvertiserRegret => {
    const bidder = setting.bidders?.[i] ?? { kind: 'value' as const };
    const [value, spend] = [totals.value[i], totals.spend[i]];
    const overspend = value > 0 ? Math.max(0, spend / value - 1) : spend > 0 ? Infinity : 0;
    if (bidder.kind === 'fixed' || bidder.kind === 'manual') {
      const deviation = new Float64Array(setting.buckets.count).fill(Number.NaN);
      return { value, spend, best: value, bestBound: value, regret: 0, regretBound: 0, overspend, deviation };
    }
    const response = bestResponse(landscape, bidder, { format: setting.rules.format });
    const utility = bidder.kind === 'utility';
    const own = utility ? value - spend : value;
    const best = Math.max(own, utility ? response.value - response.spend : response.value);
    const bestBound = Math.max(best, response.upperBound);
    return {
      ...{ value, spend, best, bestBound, overspend },
      regret: regretOf(own, best),
      regretBound: regretOf(own, bestBound),
      deviation: response.multipliers,
    };
  });
  return summarizeRegrets(advertisers);
}

function regretOf(own: number, best: number): number {
  if (best <= own) return 0;
  return own > 0 ? best / own - 1 : Infinity;
}

function summarizeRegrets(advertisers: readonly AdvertiserRegret[]): EquilibriumGap {
  let [own, gained, possible] = [0, 0, 0];
  let [maxRegret, maxRegretBound, maxOverspend] = [0, 0, 0];
  for (const { best, bestBound, regret, regretBound, overspend } of advertisers) {
    const mine = regret === Infinity ? 0 : best / (1 + regret);
    own += mine;
    gained += best - mine;
    possible += bestBound - mine;
    maxRegret = Math.max(maxRegret, regret);
    maxRegretBound = Math.max(maxRegretBound, regretBound);
    maxOverspend = Math.max(maxOverspend, overspend);
  }
  const share = (money: number): number => (money === 0 ? 0 : money / own);
  return {
    ...{ advertisers, maxRegret, maxRegretBound, maxOverspend },
    ...{ meanRegret: share(gained), meanRegretBound: share(possible) },
  };
}
