import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { reproduceBudgets } from './budgets.ts';
import { reproduceDynamics } from './dynamics.ts';
import { judgeGain, pairedGain } from './paired-gain.ts';
import { reproducePolicies } from './policies.ts';
import { reproducePredictions } from './predictions.ts';

describe('pairedGain', () => {
  it('calls a gain separated when it is clear of chance and regret, and judges its sign', async () => {
    const regrets = [0.001, 0.003, 0.002, 0.002, 0.002];
    const baseline = { values: [0.9, 0.8, 0.95, 0.7, 0.85], regrets };
    const above = (by: number) => ({ values: baseline.values.map((v, s) => v + by + s * 1e-5), regrets });
    const clear = await pairedGain(above(0.01), baseline, 0);
    assert.ok(clear.separated && Math.abs(clear.difference - 0.01002) < 1e-12);
    assert.ok(Math.abs(clear.regret - 0.002) < 1e-12);
    assert.deepEqual(
      [judgeGain('up', clear, 1), judgeGain('down', clear, -1)].map(({ passed }) => passed),
      [true, false],
    );
    const small = await pairedGain(above(0.001), baseline, 0);
    assert.ok(!small.separated && small.interval.low > 0);
    assert.equal(judgeGain('up', small, 1).passed, false);
    const down = await pairedGain(baseline, above(0.01), 0);
    assert.ok(judgeGain('down', down, -1).passed && down.separated);
  });
});

describe('protocols beyond the paper', () => {
  it('B1: knows the pacing equilibrium worked by hand, and certifies a larger one', async () => {
    const { verdicts, figures } = await reproduceBudgets({ auctions: 150 });
    for (const { claim, passed } of verdicts) assert.ok(passed, claim);
    assert.ok(figures.larger.paced > 0);
  });

  it('R1: no policy is below its guarantee; level 0 is the baseline', async () => {
    const { figures, verdicts } = await reproducePolicies({ auctions: 80, seeds: [200, 201] });
    assert.equal(figures.rows.length, 2 * 6);
    assert.ok(verdicts[0].passed);
    for (const { level, welfareGain, profitGain } of figures.rows) {
      if (level === 0) assert.deepEqual([welfareGain.difference, profitGain.difference], [0, 0]);
    }
  });

  it('D1: mixed strategies of either method end nearer to rest than pure gradient play', async () => {
    const generators = [{ name: 'gamma-topic' as const, auctions: 300 }];
    const options = { generators, levels: [2], seeds: [200], effort: 0.25 };
    const { figures, verdicts } = await reproduceDynamics(options);
    assert.equal(figures.rows.length, 2 * 5);
    for (const { regret, worstOverspend } of figures.joint) {
      assert.ok(regret.mean > 0 && regret.mean < 0.1 && worstOverspend < 0.1);
    }
    assert.equal(verdicts.length, 3);
    assert.equal(
      verdicts[2].measured,
      Math.max(
        ...figures.rows
          .slice(0, 4)
          .concat(figures.rows.slice(5, 9))
          .map((row) => row.worstOverspend),
      ),
    );
    for (const format of ['fpa', 'gsp']) {
      const rows = figures.rows.filter((row) => row.format === format);
      const pure = rows.find(({ strategies }) => strategies === 'pure')!;
      for (const row of rows) {
        if (/[24]00/.test(row.method)) assert.ok(row.regret.mean < pure.regret.mean, row.method);
        assert.ok(row.seconds.mean > 0 && row.welfare.mean > 0.5 && row.welfare.mean <= 1);
      }
    }
  });

  it('N1: exact predictions give first price all welfare, and thin markets less revenue', async () => {
    const { figures, verdicts } = await reproducePredictions({ auctions: 120, seeds: [3, 4] });
    assert.equal(verdicts.length, 8);
    const row = (name: RegExp, sigma: number) =>
      figures.rows.find(({ market, sigma: its }) => name.test(market) && its === sigma)!;
    assert.ok(Math.abs(row(/FPA/, 0).welfare - 1) < 1e-12 && row(/FPA/, 0).missed === 0);
    assert.ok(row(/FPA/, 1).welfareGain.difference > 0 && row(/FPA/, 1).missed > 0);
    assert.ok(row(/utility/, 1).profitGain.difference < 0);
  });
});
