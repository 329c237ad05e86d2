import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runCell } from '../sweep/cell.ts';
import {
  reportCertificates,
  reportFormats,
  reportNonUniformity,
  reportVcgFlat,
  sweepFindings,
  verdictText,
} from './findings.ts';
import { reproducePriceOfAnarchy } from './price-of-anarchy.ts';

describe('findings', () => {
  it('reads all findings from one sweep, in which uniform first price is exactly efficient', async () => {
    const phases = new Set<string>();
    const found = await sweepFindings({
      ...{ auctions: 150, seeds: [200], workers: 1, search: { mixed: 'never' as const } },
      onProgress: ({ phase }) => phases.add(phase),
    });
    assert.deepEqual([...phases], ['provably: equilibria', 'gamma-topic: equilibria']);
    assert.deepEqual(
      found.generators.map(({ generator, cells }) => [generator, cells.length]),
      [
        ['provably', 12],
        ['gamma-topic', 12],
      ],
    );
    const formats = reportFormats(found);
    // P1 is a theorem; the orders are claims about means, which small markets need not show.
    for (const { claim, passed } of formats.verdicts) if (/P1/.test(claim)) assert.ok(passed, claim);
    assert.equal(formats.verdicts.length, 2 * (1 + 2 * 4 * 2) + 1);
    for (const { claim, passed } of formats.verdicts) {
      if (/not separated/.test(claim)) assert.equal(passed, false, claim);
    }
    // From K = 1, where first price is efficient, welfare can only fall.
    const finer = reportNonUniformity(found);
    assert.equal(finer.verdicts.length, 2 * 2 * 2 + 2);
    const fall = finer.verdicts.find(({ claim }) => /provably.*FPA.*market by market/.test(claim))!;
    assert.equal(fall.measured, 1);
    for (const { claim, measured } of reportVcgFlat(found).verdicts) {
      assert.match(claim, /spread of mean welfare over K = 1, 2, 4, 8/);
      assert.ok(measured < 0.1);
    }
    const [targets, ...regrets] = reportCertificates(found).verdicts;
    assert.ok(targets.passed);
    for (const { measured } of regrets) assert.ok(measured >= 0);
  });

  it('mixes strategies where pure ones come to no rest, and only there', async () => {
    const task = {
      ...{ generator: { name: 'provably' as const, auctions: 100 }, seed: 200, format: 'fpa' as const },
      ...{ level: 8, reserve: 0, bidders: undefined, maxMultiplier: undefined },
    };
    const pure = await runCell({ ...task, search: { mixed: 'never' } });
    const mixed = await runCell({ ...task, search: {} });
    assert.deepEqual([pure.strategies, mixed.strategies], ['pure', 'mixed']);
    assert.ok(pure.meanRegretBound > 0.003 && mixed.meanRegretBound < pure.meanRegretBound);
    const loose = await runCell({ ...task, search: { tolerance: 1 } });
    assert.deepEqual(loose, { ...pure, converged: true });
  });

  it('says what a difference is within', () => {
    const base = {
      ...{
        measure: 'welfare' as const,
        a: { format: 'fpa' as const, level: 1 },
        b: { format: 'gsp' as const, level: 1 },
      },
      ...{ above: 1, below: 1, separated: false },
    };
    const interval = (low: number, high: number) => ({ low, high, confidence: 0.95 });
    const within = (difference: number, low: number, high: number, regret: number) =>
      verdictText({ ...base, difference, interval: interval(low, high), regret });
    assert.equal(within(0.1, -1, 1, 0.2), 'not separated: within interval and regret');
    assert.equal(within(0.1, 0.05, 1, 0.2), 'not separated: within regret');
    assert.equal(within(0.3, -1, 1, 0.2), 'not separated: within interval');
  });
});

describe('reproducePriceOfAnarchy', () => {
  it('shows half of the welfare, and first price with one multiplier that refutes it', async () => {
    const { verdicts, figures } = await reproducePriceOfAnarchy();
    for (const { claim, passed } of verdicts) assert.ok(passed, claim);
    const tenth = figures.rows.find(({ epsilon, format }) => epsilon === 0.1 && format === 'vcg')!;
    assert.ok(Math.abs(tenth.ratio - 0.55) < 1e-9);
    assert.ok(
      figures.rows.filter(({ verdict }) => verdict === 'rejected').every(({ objection }) => objection),
    );
  });
});
