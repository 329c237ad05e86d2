import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { poaInstance } from '../generators/poa-instance.ts';
import type { AuctionRules, Setting } from '../types.ts';
import { verifyProfile } from '../verify/index.ts';
import { boostStrength } from './conditions.ts';
import { checkRatio, worstCaseRatio } from './worst-case.ts';

const instance = poaInstance(0.01);

function settingOf(rules: AuctionRules, split = false): Setting {
  const { market, uniform, maxMultiplier } = instance;
  return { market, buckets: split ? instance.split : uniform, rules, maxMultiplier };
}

describe('worstCaseRatio', () => {
  it('names the bound of each format, and what it lacks', () => {
    const above = Float64Array.of(2, 1);
    assert.equal(worstCaseRatio(settingOf({ format: 'fpa' })).ratio, 1);
    assert.equal(worstCaseRatio(settingOf({ format: 'fpa' }, true)).ratio, 2);
    assert.equal(worstCaseRatio(settingOf({ format: 'vcg' }), above).bound?.id, 'vcg');
    assert.equal(worstCaseRatio(settingOf({ format: 'gsp' }), above).bound?.id, 'gsp-one-slot');
    const unknown = worstCaseRatio(settingOf({ format: 'vcg' }));
    assert.equal(unknown.ratio, Infinity);
    assert.equal(unknown.bounds[0].applies, 'unknown');
    assert.deepEqual(unknown.bounds[0].missing, ['nobody bids below its value (those bids are dominated)']);
    assert.equal(worstCaseRatio(settingOf({ format: 'vcg' }), Float64Array.of(2, 0.5)).ratio, Infinity);
    const reserved = worstCaseRatio(settingOf({ format: 'fpa', reserve: 0.5 }));
    assert.equal(reserved.bound, undefined);
    assert.ok(reserved.bounds.find(({ id }) => id === 'fpa-uniform')?.missing.includes('no reserve prices'));
  });

  it('has no finite bound for GSP with several slots', () => {
    const { market } = instance;
    const steep = {
      ...settingOf({ format: 'gsp' }),
      market: { ...market, discounts: Float64Array.of(1, 0.1) },
    };
    const { bound } = worstCaseRatio(steep, Float64Array.of(2, 1));
    assert.equal(bound?.id, 'gsp');
    assert.equal(bound?.ratio, Infinity);
    assert.match(bound?.statement ?? '', /discounts/);
  });

  it('knows what boosts bring', () => {
    const { market } = instance;
    // The second auction: A 0.01, B 1. Boosts c v rise by exactly c times the difference of values.
    for (const c of [0.5, 1, 3]) {
      const setting = settingOf({ format: 'vcg', boosts: market.values.map((v) => c * v) });
      assert.ok(Math.abs(boostStrength(setting) - c) < 1e-12);
      const { ratio, bound } = worstCaseRatio(setting, Float64Array.of(1, 1));
      assert.equal(bound?.id, 'vcg-boosts');
      assert.ok(Math.abs(ratio - (c + 2) / (c + 1)) < 1e-12);
    }
    assert.equal(boostStrength(settingOf({ format: 'vcg', boosts: Float64Array.of(0, 1, 0) })), 0);
  });

  it('is nearly reached by the family that proves it tight', async () => {
    const cases = [
      { setting: settingOf({ format: 'gsp' }), profile: instance.uniformProfile },
      { setting: settingOf({ format: 'vcg' }), profile: instance.uniformProfile },
      { setting: settingOf({ format: 'fpa' }, true), profile: instance.splitProfile },
    ];
    for (const { setting, profile } of cases) {
      const { value } = await verifyProfile(setting, profile);
      const check = checkRatio(worstCaseRatio(setting, profile), value.outcome, value.gap);
      assert.equal(check.verdict, 'kept');
      assert.ok(check.measured > 1.98 && check.measured <= check.bound && check.bound === 2);
    }
  });
});

describe('checkRatio', () => {
  const worst = worstCaseRatio(settingOf({ format: 'fpa' }));
  const outcome = { welfare: 9, optimum: 10 };

  it('raises an alarm above a bound at a certified equilibrium only', () => {
    const alarm = checkRatio(worst, outcome, { maxRegretBound: 0, maxOverspend: 0 });
    assert.equal(alarm.verdict, 'alarm');
    assert.match(alarm.caveat, /fpa-uniform \(derived\)/);
    const loose = checkRatio(worst, outcome, { maxRegretBound: 0.02, maxOverspend: 0 });
    assert.equal(loose.verdict, 'approximate');
    assert.match(loose.caveat, /regret up to 2 %/);
    assert.equal(
      checkRatio(worst, { welfare: 10, optimum: 10 }, { maxRegretBound: 0, maxOverspend: 0 }).verdict,
      'kept',
    );
  });
});
