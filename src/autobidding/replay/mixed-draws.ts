// Joint draws of mixed strategies: each advertiser's rows as often as their weights say, combined at random.

import { createRng, type Rng, shuffle } from '../../core/rng.ts';
import { profileBids } from '../market/profile-bids.ts';
import type { MixedProfile, Profile, Setting } from '../types.ts';

/** Draws of a mixed profile that auctions are run with. */
export const MIXED_DRAWS = 32;

export function isMixed(profile: Profile | MixedProfile): profile is MixedProfile {
  return !(profile instanceof Float64Array);
}

/**
 * Bids of joint draws, one a call.
 *
 * Rows are drawn systematically: over all draws each row of an advertiser comes within one of draws · weight times; which rows meet is random.
 *
 * @returns the bids of draw d, shape (entries,); a pure profile has one draw
 */
export function drawsOf(
  setting: Setting,
  profile: Profile | MixedProfile,
  seed: number,
): { count: number; bids: (draw: number) => Float64Array } {
  if (!isMixed(profile)) return { count: 1, bids: () => profileBids(setting, profile) };
  const { count: buckets } = setting.buckets;
  const rng = createRng(seed).fork('mixed draws');
  const rows = profile.map(({ weights }, i) => systematicRows(weights, rng.fork(i)));
  const pure = new Float64Array(profile.length * buckets);
  return {
    count: MIXED_DRAWS,
    bids(draw) {
      for (const [i, { multipliers }] of profile.entries()) {
        const row = rows[i][draw];
        pure.set(multipliers.subarray(row * buckets, (row + 1) * buckets), i * buckets);
      }
      return profileBids(setting, pure);
    },
  };
}

/** A row for each draw, in random order. */
function systematicRows(weights: Float64Array, rng: Rng): Uint32Array {
  const rows = new Uint32Array(MIXED_DRAWS);
  const start = rng.next();
  let row = 0;
  let below = weights[0];
  for (let d = 0; d < MIXED_DRAWS; d++) {
    const place = (start + d) / MIXED_DRAWS;
    while (row < weights.length - 1 && place >= below) below += weights[++row];
    rows[d] = row;
  }
  return shuffle(rows, rng);
}
