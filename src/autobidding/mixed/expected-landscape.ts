// One advertiser's landscape against mixed strategies of the others: expectations, exact, with every step.

import { requireInteger } from '../../core/check.ts';
import { checkSetting, DEFAULT_MAX_MULTIPLIER } from '../market/check-setting.ts';
import type { Landscape, MixedProfile, Setting } from '../types.ts';
import { ExpectedSteps } from './expected-steps.ts';
import { marginalsOf, requirePlainRules } from './marginals.ts';
import { indexEntries } from './own-curves.ts';

/**
 * What advertiser `i` wins and pays in expectation at every multiplier, the others drawing from their strategies independently.
 *
 * A step for each row of each other advertiser in each of its auctions: for large markets `mixedGap` adds them up on a grid instead. The
 * advertiser's own strategy is not read.
 *
 * @param i - advertiser, not one that bids by rule in money
 * @returns steps at exact thresholds, in ascending order; spend of first price is threshold · value
 * @throws as `mixedGap`; {InvalidArgumentError} no such advertiser
 *
 * O(A P S) an entry for A rows of P others and S slots (GSP: · A P), and sorting. Source: derived.
 */
export function expectedLandscape(setting: Setting, profile: MixedProfile, i: number): Landscape {
  const where = 'expectedLandscape';
  checkSetting(where, setting);
  requirePlainRules(where, setting);
  const { market, buckets, rules, maxMultiplier = DEFAULT_MAX_MULTIPLIER } = setting;
  requireInteger(`${where}: advertiser`, i, 0, market.advertisers - 1);
  const steps = new ExpectedSteps(setting, marginalsOf(where, setting, profile));
  const index = indexEntries(setting);
  const found = Array.from({ length: buckets.count }, () => ({
    logs: [] as number[],
    value: [] as number[],
    spend: [] as number[],
  }));
  const entries = new Uint32Array(buckets.count);
  const cap = Math.log(maxMultiplier);
  for (let at = index.offsets[i]; at < index.offsets[i + 1]; at++) {
    const e = index.entries[at];
    const bucket = found[buckets.ofEntry[e]];
    entries[buckets.ofEntry[e]]++;
    steps.sweep(index.auctionOf[e], e);
    for (let t = 0; t < steps.count; t++) {
      if (!(steps.value[t] > 0) || steps.logs[t] > cap) continue;
      bucket.logs.push(steps.logs[t]);
      bucket.value.push(steps.value[t]);
      bucket.spend.push(steps.spend[t]);
    }
  }
  const bucketOffsets = new Uint32Array(buckets.count + 1);
  for (const [k, { logs }] of found.entries()) bucketOffsets[k + 1] = bucketOffsets[k] + logs.length;
  const count = bucketOffsets[buckets.count];
  const [thresholds, value, spend] = [
    new Float64Array(count),
    new Float64Array(count),
    new Float64Array(count),
  ];
  for (const [k, bucket] of found.entries()) {
    const order = bucket.logs.map((_, t) => t).sort((a, b) => bucket.logs[a] - bucket.logs[b] || a - b);
    let [won, paid] = [0, 0];
    for (const [place, t] of order.entries()) {
      won += bucket.value[t];
      paid += bucket.spend[t];
      const at = bucketOffsets[k] + place;
      thresholds[at] = Math.exp(bucket.logs[t]);
      value[at] = won;
      spend[at] = rules.format === 'fpa' ? thresholds[at] * won : paid;
    }
  }
  return { bucketOffsets, thresholds, value, spend, entries };
}
