import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng } from '../../core/rng.ts';
import { runAuctions } from '../auction/run-auctions.ts';
import { equilibriumGap } from '../equilibrium/index.ts';
import { createMarket } from '../market/create-market.ts';
import { AUCTION_FORMATS, type Bidder, type Profile, type Setting } from '../types.ts';
import { jointGap } from './joint-gap.ts';

const WEIGHTS = Float64Array.of(0.5, 0.3, 0.2);

/** Five auctions of three advertisers with two slots and two buckets, and three joint profiles. */
function smallGame(
  format: Setting['rules']['format'],
  seed: number,
  bidders?: readonly Bidder[],
): { setting: Setting; profiles: Profile[] } {
  const rng = createRng(seed).fork('joint');
  const [auction, advertiser, value]: number[][] = [[], [], []];
  for (let j = 0; j < 5; j++) {
    for (let i = 0; i < 3; i++) {
      auction.push(j);
      advertiser.push(i);
      value.push(Math.exp(0.5 * rng.normal()));
    }
  }
  const market = createMarket({ auction, advertiser, value }, { discounts: [1, 0.6] });
  const ofEntry = Uint16Array.from(advertiser, (_, e) => (e < 6 ? 0 : 1));
  const profiles = Array.from(WEIGHTS, () =>
    Float64Array.from({ length: 6 }, () => 0.8 * Math.exp(0.3 * rng.normal())),
  );
  return { setting: { market, buckets: { count: 2, ofEntry }, rules: { format }, bidders }, profiles };
}

/** Expected value and spend of an advertiser over the draw. */
async function expected(setting: Setting, profiles: readonly Profile[], i: number) {
  let [value, spend] = [0, 0];
  for (const [t, profile] of profiles.entries()) {
    const { totals } = await runAuctions(setting, profile, { optimum: 1 });
    value += WEIGHTS[t] * totals.value[i];
    spend += WEIGHTS[t] * totals.spend[i];
  }
  return { value, spend };
}

/** Multipliers just above everything that the others bid in a bucket in any profile, and none. */
function candidates({ market, buckets }: Setting, profiles: readonly Profile[], i: number, bucket: number) {
  const { offsets, advertiserOf, values } = market;
  const found = [0];
  for (let j = 0; j < market.auctions; j++) {
    const own = offsets[j] + i;
    if (buckets.ofEntry[own] !== bucket) continue;
    for (let e = offsets[j]; e < offsets[j + 1]; e++) {
      if (e === own) continue;
      for (const profile of profiles) {
        found.push((profile[2 * advertiserOf[e] + bucket] * values[e] * (1 + 1e-9)) / values[own]);
      }
    }
  }
  // Last slots that nobody else wants cost next to nothing.
  found.push(1e-6);
  return found;
}

describe('jointGap', () => {
  for (const format of AUCTION_FORMATS) {
    it(`finds the best commitment against the draw, as brute force does, in ${format}`, async () => {
      const bidders: Bidder[] = [{ kind: 'value' }, { kind: 'value', budget: 1.2 }, { kind: 'utility' }];
      const { setting, profiles } = smallGame(format, 1, bidders);
      const { value: gap, certificate } = await jointGap(setting, profiles, WEIGHTS);
      assert.match(certificate.statement, /coarse correlated/);
      assert.equal(certificate.bound.value, gap.meanRegretBound);
      for (const [i, regret] of gap.advertisers.entries()) {
        const own = await expected(setting, profiles, i);
        assert.ok(Math.abs(own.value - regret.value) < 1e-12 && Math.abs(own.spend - regret.spend) < 1e-12);
        let best = i === 2 ? own.value - own.spend : own.value;
        for (const first of candidates(setting, profiles, i, 0)) {
          for (const second of candidates(setting, profiles, i, 1)) {
            const deviated = profiles.map((profile) => {
              const changed = profile.slice();
              changed.set([first, second], 2 * i);
              return changed;
            });
            const { value, spend } = await expected(setting, deviated, i);
            const limit = i === 1 ? Math.min(value, 1.2) : value;
            if (i === 2) best = Math.max(best, value - spend);
            else if (spend <= limit) best = Math.max(best, value);
          }
        }
        assert.ok(
          Math.abs(regret.best - best) < 1e-6,
          `advertiser ${i}: ${regret.best}, brute force ${best}`,
        );
        assert.ok(regret.bestBound >= regret.best);
      }
    });
  }

  it('is the gap of a pure profile where the draw is sure, however it is split', async () => {
    const { setting, profiles } = smallGame('gsp', 2);
    const pure = await equilibriumGap(setting, profiles[0]);
    const { value: one } = await jointGap(setting, [profiles[0]]);
    const { value: split } = await jointGap(setting, [profiles[0], profiles[0]], Float64Array.of(0.25, 0.75));
    for (const gap of [one, split]) {
      for (const [i, { best, bestBound, value }] of gap.advertisers.entries()) {
        assert.ok(Math.abs(value - pure.advertisers[i].value) < 1e-12);
        assert.ok(Math.abs(best - pure.advertisers[i].best) < 1e-9);
        // Mixed deviations count here.
        assert.ok(bestBound >= pure.advertisers[i].bestBound - 1e-9);
      }
    }
  });

  it('refuses an empty draw and weights that are none', async () => {
    const { setting, profiles } = smallGame('fpa', 3);
    await assert.rejects(jointGap(setting, []), /profiles is empty/);
    await assert.rejects(jointGap(setting, profiles, Float64Array.of(0.5, 0.5)), { code: 'SHAPE' });
    await assert.rejects(jointGap(setting, profiles, Float64Array.of(0.5, 0.5, 0.5)), /sum to 1.5/);
    await assert.rejects(jointGap(setting, profiles, Float64Array.of(1, -1, 1)), /expected a number > 0/);
  });
});
