import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { runAuctions } from '../auction/run-auctions.ts';
import { gammaTopicGenerator } from '../generators/gamma-topic-generator.ts';
import { uniformBuckets } from '../market/uniform-buckets.ts';
import { AUCTION_FORMATS, type Market, type Profile, type Setting } from '../types.ts';
import { type BoostPolicy, boostBound } from './boost-bound.ts';
import { withPolicy } from './policies.ts';
import { welfareGuarantee } from './welfare-guarantee.ts';

const POLICIES: readonly BoostPolicy[] = ['additive-boost', 'multiplicative-boost'];

function settingOf(market: Market, format: Setting['rules']['format']): Setting {
  return { market, buckets: uniformBuckets(market), rules: { format }, maxMultiplier: 1e9 };
}

describe('boostBound', () => {
  it('is 2 without boost, (c + 2) / (c + 1) and 1 + γ^γ / (1 + γ)^(1 + γ) with one', () => {
    for (const policy of POLICIES) assert.equal(boostBound(policy, 0), 2);
    assert.equal(boostBound('additive-boost', 1), 1.5);
    assert.equal(boostBound('additive-boost', 3), 5 / 4);
    assert.ok(Math.abs(boostBound('multiplicative-boost', 1) - 1.25) < 1e-15);
    assert.ok(Math.abs(boostBound('multiplicative-boost', 2) - (1 + 4 / 27)) < 1e-15);
    // (γ / (1 + γ))^γ → 1/e.
    assert.ok(Math.abs((boostBound('multiplicative-boost', 1e6) - 1) * 1e6 * Math.E - 1) < 1e-5);
    assert.equal(boostBound('additive-boost', 1, { overspend: 0.5 }), 1.75);
    assert.equal(boostBound('additive-boost', 1, { bidShare: 0.25 }), 1.8);
    assert.equal(boostBound('multiplicative-boost', 0, { bidShare: 0.5 }), 3);
    assert.equal(boostBound('multiplicative-boost', 1, { bidShare: 0 }), Infinity);
    assert.equal(boostBound('additive-boost', 1, { bidShare: 0 }), Infinity);
    assert.throws(() => boostBound('additive-boost', -1), /level is -1/);
  });

  for (const policy of POLICIES) {
    it(`is reached: A takes from B what it pays for out of another auction (${policy})`, async () => {
      const level = 1.5;
      // A is worth x where B is worth 1; the worst x is 0 for additive boosts (1e-6 stands for it), γ / (1 + γ) for multiplicative ones.
      const x = policy === 'additive-boost' ? 1e-6 : level / (1 + level);
      const price = policy === 'additive-boost' ? 1 + level * (1 - x) : x ** -level;
      const market: Market = {
        auctions: 2,
        advertisers: 2,
        offsets: Uint32Array.of(0, 1, 3),
        advertiserOf: Uint32Array.of(0, 0, 1),
        values: Float64Array.of(price - x, x, 1),
        discounts: Float64Array.of(1),
      };
      const setting = withPolicy(settingOf(market, 'vcg'), policy, level);
      const profile = Float64Array.of((1.001 * price) / x, 1);
      const { welfare, optimum, profit } = await runAuctions(setting, profile);
      assert.ok(Math.abs(profit / price - 1) < 1e-9 && profit <= welfare * (1 + 1e-9));
      assert.ok(Math.abs(optimum / welfare / boostBound(policy, level) - 1) < 2e-6);
      assert.ok(
        boostBound(policy, level, { overspend: Math.max(0, profit / welfare - 1) }) >=
          optimum / welfare - 1e-12,
      );
    });

    it(`is kept by any bids, in every format (${policy})`, async () => {
      const property = fc.asyncProperty(
        fc.integer({ min: 0, max: 1e6 }),
        fc.double({ min: 0, max: 4, noNaN: true }),
        fc.array(fc.double({ min: 0.05, max: 6, noNaN: true }), { minLength: 10, maxLength: 10 }),
        async (seed, level, multipliers) => {
          const { market } = gammaTopicGenerator({ auctions: 12, seed });
          for (const format of AUCTION_FORMATS) {
            const base = settingOf(market, format);
            const profile = Float64Array.from(multipliers);
            const outcome = await runAuctions(withPolicy(base, policy, level), profile);
            const { share, assumptions, bidShare } = welfareGuarantee(base, policy, level, profile, outcome);
            assert.ok(assumptions.every(({ status }) => status === 'checked'));
            assert.ok(bidShare >= Math.min(1, ...multipliers) - 1e-12);
            assert.ok(share > 0 && outcome.welfare / outcome.optimum >= share - 1e-12);
          }
        },
      );
      await fc.assert(property, { seed: 7, numRuns: 60 });
    });
  }
});

describe('welfareGuarantee', () => {
  const { market } = gammaTopicGenerator({ auctions: 20, seed: 1 });
  const base = settingOf(market, 'vcg');
  const ones = new Float64Array(10).fill(1);
  const guarantee = async (setting: Setting, level = 1, profile: Profile = ones) =>
    welfareGuarantee(
      setting,
      'additive-boost',
      level,
      profile,
      await runAuctions(withPolicy(setting, 'additive-boost', level), profile),
    );

  it('promises nothing where an assumption is violated, and says which', async () => {
    const violated: [Setting, Profile, RegExp][] = [
      [{ ...base, rules: { format: 'vcg', reserve: 0.1 } }, ones, /no reserve/],
      [{ ...base, rules: { format: 'vcg', factors: market.values.map(() => 2) } }, ones, /no boost/],
      [{ ...base, bidders: Array(10).fill({ kind: 'value', budget: 1 }) }, ones, /budget/],
      [{ ...base, rules: { format: 'vcg', owners: new Uint32Array(10) } }, ones, /several entries/],
    ];
    for (const [setting, profile, message] of violated) {
      const { share, assumptions } = await guarantee(setting, 1, profile);
      assert.equal(share, 0);
      const broken = assumptions.filter(({ status }) => status === 'violated');
      assert.equal(broken.length, 1);
      assert.match(broken[0].statement, message);
    }
    assert.equal((await guarantee(base)).share, 2 / 3);
  });

  it('takes the bids of those only that lost a place to less value', async () => {
    // Everybody bids the same share: nobody is displaced.
    const { bidShare, share } = await guarantee(
      base,
      1,
      ones.map(() => 0.5),
    );
    assert.deepEqual([bidShare, share], [1, 2 / 3]);
    // A bid of 0 takes no part, whatever its boost.
    assert.equal((await guarantee(base, 1, ones.with(3, 0))).share, 0);
    const other = await guarantee(base, 1, ones.with(3, 0.25));
    assert.deepEqual([other.bidShare, other.share, other.undominatedShare], [0.25, 1 / 1.8, 2 / 3]);
  });
});
