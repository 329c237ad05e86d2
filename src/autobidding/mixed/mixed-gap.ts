// How far a mixed profile is from a mixed equilibrium: exact expectations, every advertiser's best deviation and a bound on all of them.

import { type RunOptions, yieldToEventLoop } from '../../core/progress.ts';
import { relativeGain, summariseGap } from '../equilibrium/equilibrium-gap.ts';
import { objectiveOf, overspendOf } from '../equilibrium/objective.ts';
import { checkSetting, DEFAULT_MAX_MULTIPLIER } from '../market/check-setting.ts';
import { bestResponse } from '../response/index.ts';
import type { AdvertiserRegret, Bidder, EquilibriumGap, MixedProfile, Setting } from '../types.ts';
import { BinnedCurves, FINE_WIDTH } from './binned-curves.ts';
import { ExpectedSteps } from './expected-steps.ts';
import { marginalsOf, requirePlainRules } from './marginals.ts';
import { indexEntries, type OwnTotals, sweepOwn } from './own-curves.ts';
import { relaxedValue } from './relaxed-response.ts';

/**
 * ε of a mixed profile as a Nash equilibrium of strategies drawn independently, targets and budgets kept in expectation.
 *
 * Nothing is sampled: what every bid wins and pays against the product of the others' strategies is counted exactly, thresholds rounded up to
 * a grid of 10⁻⁴. `best` is a row of multipliers bid for sure, `bestBound` holds for mixed deviations too: from the linear relaxation on the
 * hulls, of the grid's bins at their cheaper ends. With few buckets the two differ, since mixing two rows serves a target exactly.
 *
 * @param profile - one strategy for each advertiser
 * @throws {InvalidArgumentError} the setting or a strategy is out of its range @throws {ShapeError} their shapes do not fit
 * @throws {UnsupportedError} boosts, factors, owners, or several entries of an advertiser in an auction
 *
 * O(entries · A · P · S) for A atoms of the P others in an auction and S slots (GSP: · A P where strategies overlap).
 * Source: derived.
 */
export async function mixedGap(
  setting: Setting,
  profile: MixedProfile,
  { signal, onProgress }: RunOptions = {},
): Promise<EquilibriumGap> {
  checkSetting('mixedGap', setting);
  requirePlainRules('mixedGap', setting);
  return await examine('mixedGap', setting, profile, { signal, onProgress, ...EXACT });
}

/** Called with each advertiser's regret, entries and curves before the curves are reused. */
export type Visit = (
  advertiser: number,
  regret: AdvertiserRegret,
  own: OwnTotals,
  curves: BinnedCurves,
) => void;

/** How fine a gap is computed. */
export interface Fineness {
  /** Width of bins in ln of the multiplier: bounds are loose by about that, relative to prices. */
  binWidth: number;
  /** Partial choices that the search for a pure deviation keeps. */
  searchWidth: number;
}

const EXACT: Fineness = { binWidth: FINE_WIDTH, searchWidth: 4096 };

/** The gap of a profile in a checked setting. */
export async function examine(
  where: string,
  setting: Setting,
  profile: MixedProfile,
  { signal, onProgress, binWidth, searchWidth }: RunOptions & Fineness,
  visit?: Visit,
): Promise<EquilibriumGap> {
  const { market, buckets, bidders, rules, maxMultiplier = DEFAULT_MAX_MULTIPLIER } = setting;
  const marginals = marginalsOf(where, setting, profile);
  const steps = new ExpectedSteps(setting, marginals);
  const index = indexEntries(setting);
  const curves = new BinnedCurves(buckets.count, binWidth, maxMultiplier);
  const advertisers: AdvertiserRegret[] = [];
  for (let i = 0; i < market.advertisers; i++) {
    signal?.throwIfAborted();
    onProgress?.({ phase: 'regret of mixed strategies', done: i, total: market.advertisers });
    await yieldToEventLoop();
    const own = sweepOwn(setting, marginals, steps, index, i, curves);
    const bidder: Bidder = bidders?.[i] ?? { kind: 'value' };
    const regret = regretOf(own, curves, bidder, { format: rules.format, width: searchWidth });
    advertisers.push(regret);
    visit?.(i, regret, own, curves);
  }
  signal?.throwIfAborted();
  const all = Array.from(advertisers, (_, i): Bidder => bidders?.[i] ?? { kind: 'value' });
  return summariseGap({ bidders: all }, advertisers);
}

function regretOf(
  { value, spend, entries }: OwnTotals,
  curves: BinnedCurves,
  bidder: Bidder,
  { format, width }: { format: Setting['rules']['format']; width: number },
): AdvertiserRegret {
  const overspend = overspendOf(bidder, value, spend);
  if (bidder.kind === 'fixed' || bidder.kind === 'manual') {
    const deviation = new Float64Array(entries.length).fill(NaN);
    return {
      ...{ value, spend, best: value, bestBound: value, regret: 0, regretBound: 0, overspend },
      deviation,
    };
  }
  const objective = objectiveOf(bidder, value, spend);
  const landscape = curves.landscape(0, entries, format, { relaxed: false });
  const pure = bestResponse(landscape, bidder, { format, width });
  const reached = objectiveOf(bidder, pure.value, pure.spend);
  const relaxed = relaxedValue(curves.landscape(0, entries, format, { relaxed: true }), bidder);
  const best = Math.max(objective, reached);
  const bestBound = Math.max(best, relaxed);
  return {
    ...{ value, spend, best, bestBound },
    regret: relativeGain(best, objective),
    regretBound: relativeGain(bestBound, objective),
    overspend,
    deviation: pure.multipliers,
  };
}
