import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { uniformBuckets } from '../market/uniform-buckets.ts';
import type { Market, Setting } from '../types.ts';
import { withPolicy } from './policies.ts';

const market: Market = {
  auctions: 3,
  advertisers: 2,
  offsets: Uint32Array.of(0, 2, 2, 3),
  advertiserOf: Uint32Array.of(0, 1, 1),
  values: Float64Array.of(1, 4, 3),
  discounts: Float64Array.of(1),
};
const setting: Setting = { market, buckets: uniformBuckets(market), rules: { format: 'gsp' } };

describe('withPolicy', () => {
  it('sets one rule', () => {
    assert.deepEqual(withPolicy(setting, 'reserve', 0.5).rules, { format: 'gsp', reserve: 0.5 });
    assert.deepEqual(withPolicy(setting, 'relative-reserve', 2).rules.reserve, Float64Array.of(5, 0, 6));
    assert.deepEqual(withPolicy(setting, 'additive-boost', 2).rules.boosts, Float64Array.of(2, 8, 6));
    const factors = withPolicy(setting, 'multiplicative-boost', 2).rules.factors ?? [];
    // ÷ geometric mean 2 and 3, squared.
    for (const [e, factor] of [0.25, 4, 1].entries()) assert.ok(Math.abs(factors[e] / factor - 1) < 1e-12);
  });

  it('leaves the setting as it is', () => {
    assert.deepEqual(setting.rules, { format: 'gsp' });
  });

  it('refuses unknown policies and bad levels', () => {
    assert.throws(() => withPolicy(setting, 'reserve', -1), /level of reserve is -1/);
    assert.throws(() => withPolicy(setting, 'additive-boost', Number.NaN), /level of additive-boost is NaN/);
    assert.throws(() => withPolicy(setting, 'tax' as 'reserve', 1), /policy is "tax"/);
  });
});
