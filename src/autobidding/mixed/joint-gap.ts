// Joint play over time held against single deviations: a coarse correlated equilibrium, which is less than a Nash equilibrium.

import type { Certified } from '../../core/certificate.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import { type RunOptions, yieldToEventLoop } from '../../core/progress.ts';
import { auctionTotals } from '../auction/run-auctions.ts';
import { summariseGap } from '../equilibrium/equilibrium-gap.ts';
import { OVERSPEND_ALLOWED } from '../equilibrium/objective.ts';
import { indexEntries, landscapeOf } from '../landscape/index.ts';
import { checkSetting } from '../market/check-setting.ts';
import { profileBids } from '../market/profile-bids.ts';
import type {
  AdvertiserRegret,
  AdvertiserTotals,
  AuctionFormat,
  Bidder,
  EquilibriumGap,
  Landscape,
  Profile,
  Setting,
} from '../types.ts';
import { checkWeights } from './marginals.ts';
import { regretOf } from './mixed-gap.ts';

/**
 * ε of joint play as a *coarse correlated* equilibrium: one of T profiles is drawn for all together, and an advertiser that deviates commits to
 * its multipliers (or a mixture of some) before it knows which. Targets and budgets are kept in expectation over the draw.
 *
 * Weaker than what `mixedGap` certifies: every mixed equilibrium is one of these, but not the other way round, since the draw may tell
 * bidders of each other what independent strategies cannot. The time-averaged play of bidders without regret tends here, and no further.
 *
 * @param profiles - T ≥ 1 joint profiles, each shape (advertisers · K,), NaN only where a bucket holds no entry of the advertiser
 * @param weights - shape (T,), > 0, sum 1. Default: equal
 * @returns the gap; the bound is on the value-weighted mean regret, mixed deviations included
 * @throws {InvalidArgumentError} the setting, a multiplier or a weight leaves its range @throws {ShapeError} sizes that do not fit
 * @throws `signal.reason` when cancelled
 *
 * O(T · entries · (participants + slots)) and sorting T landscapes of one advertiser at a time; 8 T · entries bytes for bids. Source: derived;
 * the notion: Moulin and Vial, 1978.
 */
export async function jointGap(
  setting: Setting,
  profiles: readonly Profile[],
  weights: Float64Array = new Float64Array(profiles.length).fill(1 / profiles.length),
  { signal, onProgress }: RunOptions = {},
): Promise<Certified<EquilibriumGap>> {
  checkSetting('jointGap', setting);
  if (profiles.length === 0) {
    throw new InvalidArgumentError('jointGap: profiles is empty; expected at least one joint profile.');
  }
  checkWeights('jointGap', weights, profiles.length);
  const { advertisers: count } = setting.market;
  const { format } = setting.rules;
  const bids = profiles.map((profile) => profileBids(setting, profile));
  const totals: AdvertiserTotals[] = [];
  for (const one of bids) totals.push((await auctionTotals(setting, one, { signal })).totals);
  const index = indexEntries(setting.market);
  const bidders = Array.from({ length: count }, (_, i): Bidder => setting.bidders?.[i] ?? { kind: 'value' });
  const regrets: AdvertiserRegret[] = [];
  let sharedThresholds = 0;
  for (const [i, bidder] of bidders.entries()) {
    signal?.throwIfAborted();
    onProgress?.({ phase: 'regret of joint play', done: i, total: count });
    await yieldToEventLoop();
    const landscape = mixLandscapes(
      bids.map((one) => landscapeOf(setting, one, i, index)),
      weights,
      format,
    );
    sharedThresholds += landscape.shared ?? 0;
    const mean = (read: (one: AdvertiserTotals) => number) =>
      totals.reduce((sum, one, t) => sum + weights[t] * read(one), 0);
    const own = { value: mean(({ value }) => value[i]), spend: mean(({ spend }) => spend[i]) };
    const buckets = setting.buckets.count;
    regrets.push(regretOf(own, buckets, () => landscape, bidder, { format }));
  }
  const gap = { ...summariseGap({ bidders }, regrets), sharedThresholds };
  return {
    value: gap,
    certificate: {
      statement:
        'joint play is a coarse correlated ε-equilibrium (weaker than a Nash equilibrium): advertisers that deviate, each alone and before the ' +
        'joint profile is drawn, raise value by no more than this share of all value',
      source: 'derived: exact landscapes against every joint profile, linear relaxation',
      assumptions: [
        {
          statement: 'all bid by one common draw, and targets bind in expectation over it',
          status: 'assumed',
        },
        {
          statement: 'spend ≤ value and spend ≤ budget in expectation, up to 10⁻⁴, for every advertiser',
          status: gap.maxOverspend <= OVERSPEND_ALLOWED ? 'checked' : 'violated',
          measured: gap.maxOverspend,
          measure: 'largest relative overspend',
        },
        {
          statement: 'no deviation that bids exactly what ties several competitors at once is better',
          status: sharedThresholds === 0 ? 'checked' : 'assumed',
          measured: sharedThresholds,
          measure: 'thresholds that such ties share',
        },
      ],
      bound: { value: gap.meanRegretBound, unit: 'share of value', failureProbability: 0, scale: 1 },
      seed: 0,
      backend: 'none',
      warnings: [],
    },
  };
}

/** The landscape of expectations over which of `landscapes` one bids in; all have the same buckets and entries. */
function mixLandscapes(
  landscapes: readonly Landscape[],
  weights: Float64Array,
  format: AuctionFormat,
): Landscape {
  const buckets = landscapes[0].bucketOffsets.length - 1;
  const bucketOffsets = new Uint32Array(buckets + 1);
  const room = landscapes.reduce((sum, { thresholds }) => sum + thresholds.length, 0);
  const [thresholds, value, spend] = [new Float64Array(room), new Float64Array(room), new Float64Array(room)];
  let at = 0;
  let shared = 0;
  for (let k = 0; k < buckets; k++) {
    const steps: { threshold: number; value: number; spend: number }[] = [];
    for (const [t, one] of landscapes.entries()) {
      let [won, paid] = [0, 0];
      for (let s = one.bucketOffsets[k]; s < one.bucketOffsets[k + 1]; s++) {
        steps.push({
          threshold: one.thresholds[s],
          value: weights[t] * (one.value[s] - won),
          spend: weights[t] * (one.spend[s] - paid),
        });
        [won, paid] = [one.value[s], one.spend[s]];
      }
    }
    steps.sort((a, b) => a.threshold - b.threshold);
    let [won, paid] = [0, 0];
    for (const [place, step] of steps.entries()) {
      if (place > 0 && steps[place - 1].threshold === step.threshold) shared++;
      won += step.value;
      paid += step.spend;
      thresholds[at] = step.threshold;
      value[at] = won;
      spend[at++] = format === 'fpa' ? step.threshold * won : paid;
    }
    bucketOffsets[k + 1] = at;
  }
  return { bucketOffsets, thresholds, value, spend, entries: landscapes[0].entries, shared };
}
