import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomProfile, randomSetting } from '../../../test/autobid-settings.ts';
import type { MixedProfile } from '../types.ts';
import { parseSavedProfile, restoreProfile, type SavedMarket } from './restore-profile.ts';
import { saveProfile } from './saved-profile.ts';
import { verifyProfile } from './verify-profile.ts';

const source = { kind: 'given', note: 'test' } as const;
const setting = randomSetting(1, {
  format: 'gsp',
  rich: true,
  shared: true,
  mixed: true,
  advertisers: 5,
  buckets: 3,
});
const profile = randomProfile(setting, 1);
const { market, buckets, rules } = setting;
const brought: SavedMarket = {
  market,
  buckets,
  reserves: rules.reserve as Float64Array,
  boosts: rules.boosts,
  factors: rules.factors,
};
const loose = { maxRegret: 1e9, maxOverspend: 1e9 };

async function savedJson(): Promise<Record<string, unknown>> {
  const { value } = await verifyProfile(setting, profile, loose);
  const { totals, ...figures } = value.outcome;
  const claims = {
    ...figures,
    value: totals.value,
    spend: totals.spend,
    maxRegret: value.gap.maxRegretBound,
  };
  return JSON.parse(JSON.stringify(await saveProfile(setting, profile, source, claims)));
}

describe('saved profiles', () => {
  it('come back bit by bit, and verify', async () => {
    const saved = parseSavedProfile(await savedJson());
    const restored = await restoreProfile(saved, brought);
    assert.deepEqual(restored.profile, profile);
    assert.deepEqual(restored.setting, setting);
    const { value } = await verifyProfile(restored.setting, restored.profile, {
      ...loose,
      claims: restored.claims,
    });
    assert.equal(value.verdict, 'accepted');
  });

  it('keep mixed strategies', async () => {
    const mixed: MixedProfile = Array.from({ length: 5 }, (_, i) => ({
      weights: Float64Array.of(0.25, 0.75),
      multipliers: Float64Array.from([
        ...profile.slice(3 * i, 3 * i + 3),
        ...profile.slice(3 * i, 3 * i + 3),
      ]),
    }));
    const saved = await saveProfile(setting, mixed, source);
    assert.deepEqual((await restoreProfile(saved, brought)).profile, mixed);
  });

  it('are refused when a multiplier is 5 % off or a claim is too good', async () => {
    const json = await savedJson();
    const verdictOf = async (change: (file: ReturnType<typeof JSON.parse>) => void) => {
      const file = structuredClone(json);
      change(file);
      const restored = await restoreProfile(parseSavedProfile(file), brought);
      return (await verifyProfile(restored.setting, restored.profile, { ...loose, claims: restored.claims }))
        .value.verdict;
    };
    assert.equal(await verdictOf(() => {}), 'accepted');
    assert.equal(await verdictOf((file) => (file.strategies[0].multipliers[0] *= 1.05)), 'rejected');
    assert.equal(await verdictOf((file) => (file.claims.maxRegret *= 0.99)), 'rejected');
    assert.equal(await verdictOf((file) => (file.claims.profit *= 1.001)), 'rejected');
    assert.equal(await verdictOf((file) => (file.rules.ties.seed += 1)), 'accepted'); // nothing ties here
    assert.equal(await verdictOf((file) => (file.rules.format = 'vcg')), 'rejected');
  });

  it('say what differs in another market', async () => {
    const saved = parseSavedProfile(await savedJson());
    const dearer = { ...market, values: market.values.with(7, 2 * market.values[7]) };
    await assert.rejects(restoreProfile(saved, { ...brought, market: dearer }), {
      code: 'DATA',
      message:
        /not the market of the saved profile: values: SHA-256 [0-9a-f]{12}… saved, [0-9a-f]{12}… given\. Bring/,
    });
    await assert.rejects(
      restoreProfile(saved, { market, buckets }),
      /reserves: SHA-256 .* saved, none… given; boosts/,
    );
  });

  it('name the field that is wrong', async () => {
    const json = await savedJson();
    const refuses = (change: object, message: RegExp) =>
      assert.throws(() => parseSavedProfile({ ...json, ...change }), { code: 'DATA', message });
    refuses({ format: 'x' }, /format is "x"; expected "provably-autobid-profile"/);
    refuses({ version: 2 }, /version is 2; expected 1/);
    refuses({ strategies: [] }, /length of strategies is 0; expected 5/);
    refuses({ maxMultiplier: '10' }, /maxMultiplier is "10"; expected a number ≥ 1/);
    refuses({ bidders: [{ kind: 'robot' }, 0, 0, 0, 0] }, /bidders\[0\]\.kind is "robot"/);
    refuses({ claims: { luck: 1 } }, /claims\.luck is 1; expected no such figure/);
    assert.throws(() => parseSavedProfile([]), /the file is \[\]; expected an object/);
  });
});
