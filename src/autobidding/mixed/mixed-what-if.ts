// One advertiser's question against mixed strategies: what would I get at other bids, in expectation?

import { overspendOf } from '../equilibrium/objective.ts';
import type { WhatIf, WhatIfPoint } from '../equilibrium/what-if.ts';
import { DEFAULT_FACTORS } from '../equilibrium/what-if.ts';
import { checkSetting } from '../market/check-setting.ts';
import { bestResponse, outcomeAt } from '../response/index.ts';
import type { MixedProfile, Setting } from '../types.ts';
import { expectedLandscape } from './expected-landscape.ts';

/** Bids are made above thresholds by this share, so that ties are won. */
const ABOVE_TIE = 1e-9;

/**
 * `whatIf` against strategies that mix: expectations over the draws of all, the others' strategies frozen.
 *
 * @param advertiser - its number; a bidder with multipliers. Now, and along the factors, it plays its own strategy, scaled
 * @returns the best single row of multipliers: against frozen strategies mixing can add no more than what `upperBound` allows
 * @throws as `expectedLandscape`
 *
 * As `expectedLandscape`. Source: derived.
 */
export function mixedWhatIf(setting: Setting, profile: MixedProfile, advertiser: number): WhatIf {
  checkSetting('mixedWhatIf', setting);
  const { format } = setting.rules;
  const landscape = expectedLandscape(setting, profile, advertiser);
  const bidder = setting.bidders?.[advertiser] ?? { kind: 'value' };
  const { weights, multipliers } = profile[advertiser];
  const count = setting.buckets.count;
  const at = (factor: number): WhatIfPoint => {
    let [value, spend] = [0, 0];
    for (const [row, weight] of weights.entries()) {
      const scaled = multipliers.subarray(row * count, (row + 1) * count).map((one) => factor * one);
      const outcome = outcomeAt(landscape, scaled, format);
      value += weight * outcome.value;
      spend += weight * outcome.spend;
    }
    return { factor, value, spend, overspend: overspendOf(bidder, value, spend) };
  };
  const response = bestResponse(landscape, bidder, { format });
  const above = response.multipliers.map((one) => (one === 1 ? 1 : one * (1 + ABOVE_TIE)));
  return { now: at(1), curve: DEFAULT_FACTORS.map(at), best: { ...response, multipliers: above } };
}
