import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { provablyGenerator } from '../generators/provably-generator.ts';
import { topicBuckets } from '../market/buckets.ts';
import { createMarket } from '../market/create-market.ts';
import { uniformBuckets } from '../market/uniform-buckets.ts';
import { AUCTION_FORMATS, type AuctionFormat, type Bidder, type Setting } from '../types.ts';
import type { DynamicsName } from './dynamics/index.ts';
import { equilibriumGap } from './equilibrium-gap.ts';
import { findEquilibrium } from './find-equilibrium.ts';

function settingOf(format: AuctionFormat, buckets: number, auctions = 400, seed = 200): Setting {
  const generated = provablyGenerator({ auctions, seed });
  return { market: generated.market, buckets: topicBuckets(generated, buckets), rules: { format } };
}

describe('findEquilibrium', () => {
  it('answers first price with one multiplier exactly, for any targets (derived: spend = multiplier · value)', async () => {
    for (const seed of [1, 2, 3]) {
      const { market } = provablyGenerator({ auctions: 300, seed, targetSpread: 0.5 });
      const setting: Setting = { market, buckets: uniformBuckets(market), rules: { format: 'fpa' } };
      const { value, certificate } = await findEquilibrium(setting, { seed: 5 });
      const { outcome, gap, profile, converged, history } = value;
      assert.ok(profile.every((multiplier) => multiplier === 1));
      assert.ok(Math.abs(outcome.welfare - outcome.optimum) <= 1e-9 * outcome.optimum);
      assert.ok(Math.abs(outcome.profit - outcome.welfare) <= 1e-9 * outcome.welfare);
      assert.ok(gap.meanRegretBound <= 1e-12 && gap.maxOverspend <= 1e-12);
      assert.ok(converged && history.length === 0);
      assert.equal(value.bindingShare, 1);
      assert.ok(certificate.bound.value <= 1e-12);
      assert.deepEqual(certificate.warnings, []);
    }
  });

  it('meets every target to 10⁻⁴ and certifies little regret, in every format', async () => {
    // Levels of the prototype's certificates (see the reproduction for full size), at a fifth of the size: regret falls as m^(−2/3), so 3 times more.
    const limits = { fpa: { 2: 0.015, 8: 0.075 }, gsp: { 1: 0.009, 8: 0.05 }, vcg: { 1: 0.003, 8: 0.003 } };
    for (const format of AUCTION_FORMATS) {
      for (const [buckets, limit] of Object.entries(limits[format])) {
        const { value, certificate } = await findEquilibrium(settingOf(format, Number(buckets)));
        const { gap } = value;
        assert.ok(gap.maxOverspend <= 1e-4, `${format} K=${buckets}: overspend ${gap.maxOverspend}`);
        assert.ok(gap.meanRegret <= limit, `${format} K=${buckets}: regret ${gap.meanRegret}`);
        assert.equal(certificate.bound.value, gap.meanRegretBound);
        assert.ok(gap.meanRegret <= gap.meanRegretBound);
        assert.equal(certificate.audit?.kept, true);
      }
    }
  });

  it('gives deviations that reach what they promise', async () => {
    const setting = settingOf('gsp', 4);
    const { value } = await findEquilibrium(setting, { iterations: 3, rounds: 0 });
    for (const [i, regret] of value.gap.advertisers.entries()) {
      const deviated = value.profile.slice();
      deviated.set(regret.deviation, i * 4);
      const after = await equilibriumGap(setting, deviated);
      assert.ok(Math.abs(after.advertisers[i].value - regret.best) <= 1e-9 * regret.best);
    }
  });

  it('lowers the regret with every dynamic but the plain one, and repeats itself', async () => {
    const setting = settingOf('vcg', 2);
    const names: DynamicsName[] = [
      'damped-best-response',
      'gauss-seidel',
      'controller',
      'dual-descent',
      'optimistic',
    ];
    for (const dynamics of names) {
      const start = await findEquilibrium(setting, { dynamics, iterations: 0, rounds: 0 });
      const options = { dynamics, iterations: 40, rounds: 0, seed: 3 };
      const end = await findEquilibrium(setting, options);
      assert.ok(
        end.value.gap.meanRegret < start.value.gap.meanRegret / 3,
        `${dynamics}: ${end.value.gap.meanRegret}`,
      );
      const again = await findEquilibrium(setting, options);
      assert.deepEqual(again.value.profile, end.value.profile);
    }
  });

  it('keeps budgets, shades for utility, leaves those that bid by rule alone', async () => {
    const { market } = provablyGenerator({ auctions: 300, advertisers: 6, participants: 5, seed: 4 });
    const bidders: Bidder[] = [
      { kind: 'value', budget: 20 },
      { kind: 'value' },
      { kind: 'utility' },
      { kind: 'utility', budget: 10 },
      { kind: 'fixed', multiplier: 0.7 },
      { kind: 'manual', bid: 0.5 },
    ];
    for (const format of AUCTION_FORMATS) {
      const setting: Setting = { market, buckets: uniformBuckets(market), rules: { format }, bidders };
      const { value } = await findEquilibrium(setting);
      const { spend, value: worth } = value.outcome.totals;
      assert.ok(spend[0] <= 20 * (1 + 1e-4) && spend[3] <= 10 * (1 + 1e-4));
      assert.ok(worth[2] - spend[2] > 0);
      assert.equal(value.profile[4], 0.7);
      assert.equal(value.gap.advertisers[4].regret, 0);
      assert.equal(value.gap.advertisers[5].regretBound, 0);
      assert.ok(value.gap.maxOverspend <= 1e-4);
    }
  });

  it('comes to much the same place by every dynamic, budgets or not', async () => {
    const { market } = provablyGenerator({ auctions: 300, advertisers: 6, participants: 5, seed: 4 });
    const bidders = Array.from(
      { length: 6 },
      (_, i): Bidder => (i < 2 ? { kind: 'value', budget: 40 } : { kind: 'value' }),
    );
    const setting: Setting = { market, buckets: uniformBuckets(market), rules: { format: 'vcg' }, bidders };
    const names: DynamicsName[] = [
      'damped-best-response',
      'gauss-seidel',
      'controller',
      'dual-descent',
      'optimistic',
    ];
    const found: number[] = [];
    for (const dynamics of names) {
      const { value } = await findEquilibrium(setting, { dynamics, iterations: 40 });
      assert.ok(value.gap.maxOverspend <= 1e-4, dynamics);
      assert.ok(value.gap.meanRegret <= 0.01, `${dynamics}: ${value.gap.meanRegret}`);
      found.push(value.outcome.welfare / value.outcome.optimum);
    }
    assert.ok(Math.max(...found) - Math.min(...found) < 0.01);
  });

  it('stands empty markets, lonely and absent advertisers', async () => {
    const empty = createMarket([], { discounts: [1] });
    const nobody = await findEquilibrium({
      market: empty,
      buckets: uniformBuckets(empty),
      rules: { format: 'gsp' },
    });
    assert.equal(nobody.value.outcome.welfare, 0);
    assert.equal(nobody.certificate.bound.value, 0);
    const { market } = provablyGenerator({ auctions: 5, advertisers: 1, participants: 1, seed: 1 });
    for (const format of AUCTION_FORMATS) {
      const { value } = await findEquilibrium({ market, buckets: uniformBuckets(market), rules: { format } });
      assert.equal(value.outcome.welfare, value.outcome.optimum);
    }
  });

  it('warns where equal advertisers make the rule of ties decide', async () => {
    const rows = { auction: [0, 0, 1, 1], advertiser: [0, 1, 0, 1], value: [2, 2, 2, 2] };
    const market = createMarket(rows, { discounts: [1] });
    const setting: Setting = { market, buckets: uniformBuckets(market), rules: { format: 'fpa' } };
    const { value, certificate } = await findEquilibrium(setting);
    assert.deepEqual([...value.outcome.totals.value], [4, 0]);
    assert.equal(value.outcome.profit, 4);
    assert.match(certificate.warnings.join(' '), /of auctions tie/);
  });

  it('is cancelled before and between iterations', async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    const run = findEquilibrium(settingOf('gsp', 2), {
      signal: controller.signal,
      onProgress: ({ done }) => {
        seen.push(done);
        controller.abort(new Error('enough'));
      },
    });
    await assert.rejects(run, { message: 'enough' });
    assert.deepEqual(seen, [1]);
    await assert.rejects(findEquilibrium(settingOf('gsp', 2), { signal: controller.signal }), {
      message: 'enough',
    });
  });

  it('names what is wrong', async () => {
    const setting = settingOf('gsp', 2, 20);
    await assert.rejects(
      findEquilibrium(setting, { dynamics: 'magic' as DynamicsName }),
      /dynamics is "magic"/,
    );
    await assert.rejects(findEquilibrium(setting, { iterations: -1 }), /iterations is -1/);
    await assert.rejects(findEquilibrium(setting, { tolerance: Number.NaN }), /tolerance is NaN/);
    await assert.rejects(findEquilibrium(setting, { initial: new Float64Array(3) }), /length 3; expected 24/);
  });
});
