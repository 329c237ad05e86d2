import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Setting } from '../types.ts';
import { checkSetting } from './check-setting.ts';
import { createMarket } from './create-market.ts';
import { profileBids } from './profile-bids.ts';

const market = createMarket(
  { auction: [0, 0, 0, 0, 1, 1], advertiser: [0, 1, 2, 3, 0, 1], value: [2, 3, 5, 7, 11, 13] },
  { discounts: [1] },
);
const setting: Setting = {
  market,
  buckets: { count: 2, ofEntry: Uint16Array.of(0, 0, 0, 0, 1, 1) },
  rules: { format: 'gsp' },
  bidders: [
    { kind: 'value' },
    { kind: 'utility', budget: 3 },
    { kind: 'fixed', multiplier: 0.5 },
    { kind: 'manual', bid: 9 },
  ],
};
const profile = Float64Array.of(1, 2, 3, 4, NaN, NaN, NaN, NaN);

describe('profileBids', () => {
  it('multiplies values by the multiplier of their bucket, or follows the bidder’s rule', () => {
    assert.deepEqual([...profileBids(setting, profile)], [2, 9, 2.5, 9, 22, 52]);
    const out = new Float64Array(6);
    assert.equal(profileBids(setting, profile, out), out);
  });

  it('takes NaN only where no entry is', () => {
    const absent = { ...setting, bidders: undefined };
    assert.throws(
      () => profileBids(absent, profile),
      /multiplier of advertiser 2 in bucket 0 is NaN.*entry 2/,
    );
    assert.deepEqual(profileBids(absent, Float64Array.of(1, 1, 1, 1, 1, NaN, 1, NaN)), market.values);
    for (const bad of [-1, Infinity])
      assert.throws(() => profileBids(setting, profile.with(3, bad)), /advertiser 1 in bucket 1/);
    assert.throws(() => profileBids(setting, profile.subarray(1)), { code: 'SHAPE' });
  });
});

describe('checkSetting', () => {
  const faults: [Partial<Setting>, RegExp][] = [
    [{ buckets: { count: 1, ofEntry: setting.buckets.ofEntry } }, /buckets\.ofEntry\[4\] is 1/],
    [{ buckets: { count: 0, ofEntry: setting.buckets.ofEntry } }, /buckets\.count is 0/],
    [{ rules: { format: 'english' as never } }, /rules\.format is "english"/],
    [{ rules: { format: 'gsp', reserve: -1 } }, /rules\.reserve is -1/],
    [{ rules: { format: 'gsp', reserve: Float64Array.of(0, NaN) } }, /rules\.reserve\[1\] is NaN/],
    [{ rules: { format: 'gsp', boosts: new Float64Array(6).fill(-1, 5) } }, /rules\.boosts\[5\] is -1/],
    [{ rules: { format: 'gsp', factors: new Float64Array(6) } }, /rules\.factors\[0\] is 0/],
    [{ rules: { format: 'gsp', owners: new Uint32Array(3) } }, /rules\.owners has length 3/],
    [{ rules: { format: 'gsp', ties: { seed: -1 } } }, /rules\.ties\.seed is -1/],
    [{ rules: { format: 'gsp', ties: 'random' as never } }, /rules\.ties is "random"/],
    [{ bidders: [] }, /bidders has length 0/],
    [{ bidders: setting.bidders?.with(1, { kind: 'value', budget: NaN }) }, /bidders\[1\]\.budget is NaN/],
    [{ bidders: setting.bidders?.with(3, { kind: 'manual', bid: -1 }) }, /bidders\[3\]\.bid is -1/],
    [
      { bidders: setting.bidders?.with(2, { kind: 'fixed', multiplier: NaN }) },
      /bidders\[2\]\.multiplier is NaN/,
    ],
    [{ maxMultiplier: 0.5 }, /maxMultiplier is 0\.5/],
  ];
  it('takes what is right and names what is not', () => {
    checkSetting('test', setting);
    for (const [fault, message] of faults) {
      assert.throws(() => checkSetting('test', { ...setting, ...fault }), message);
    }
  });
});
