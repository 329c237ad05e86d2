// Pure and mixed profiles in one shape, checked.

import { requireInteger, requireLength } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import type { MixedProfile, Profile, Setting } from '../types.ts';
import { ownEntries } from './choices.ts';
import { bidsByRule } from './run-market.ts';

/** Weights of a mix may miss the sum 1 by their roundings. */
const WEIGHT_SLACK = 1e-9;

/** True where every advertiser has one row. */
export function isPure(strategies: MixedProfile): boolean {
  return strategies.every(({ weights }) => weights.length === 1);
}

/**
 * A profile as one mix for each advertiser, weights scaled to sum 1; bidders that bid by rule get one row that is not read.
 *
 * @throws {InvalidArgumentError} weights are not positive or do not sum to 1; a multiplier that is used is negative or not finite
 * @throws {ShapeError} shapes do not fit the setting
 */
export function strategiesOf(where: string, setting: Setting, profile: Profile | MixedProfile): MixedProfile {
  const { market, buckets } = setting;
  const mixed = profile instanceof Float64Array ? pureStrategies(where, setting, profile) : profile;
  requireInteger(`${where}: profile.length`, mixed.length, market.advertisers, market.advertisers);
  return mixed.map(({ weights, multipliers }, i) => {
    const name = `${where}: profile[${i}]`;
    if (bidsByRule(setting, i)) {
      return { weights: Float64Array.of(1), multipliers: new Float64Array(buckets.count).fill(Number.NaN) };
    }
    requireLength(`${name}.multipliers`, multipliers, weights.length * buckets.count);
    const sum = weights.reduce((a, b) => a + b, 0);
    if (!(weights.every((weight) => weight > 0) && Math.abs(sum - 1) <= WEIGHT_SLACK)) {
      throw new InvalidArgumentError(
        `${name}.weights are ${weights.join(', ')}; expected numbers > 0 of sum 1.`,
      );
    }
    const used = new Uint8Array(buckets.count);
    for (const { start } of ownEntries(setting, i)) used[buckets.ofEntry[start]] = 1;
    multipliers.forEach((multiplier, t) => {
      const k = t % buckets.count;
      if (used[k] === 0 || (multiplier >= 0 && multiplier < Infinity)) return;
      throw new InvalidArgumentError(
        `${where}: multiplier of advertiser ${i} in bucket ${k} is ${multiplier}; expected a finite number ≥ 0, for that bucket holds entries of it.`,
      );
    });
    return { weights: weights.map((weight) => weight / sum), multipliers };
  });
}

/** The largest multiplier of an advertiser, 0 where it has none. */
export function largestMultiplier({ multipliers }: MixedProfile[number]): number {
  return multipliers.reduce((most, multiplier) => (multiplier > most ? multiplier : most), 0);
}

function pureStrategies(where: string, { market, buckets }: Setting, profile: Profile): MixedProfile {
  requireLength(`${where}: profile`, profile, market.advertisers * buckets.count);
  return Array.from({ length: market.advertisers }, (_, i) => ({
    weights: Float64Array.of(1),
    multipliers: profile.slice(i * buckets.count, (i + 1) * buckets.count),
  }));
}
