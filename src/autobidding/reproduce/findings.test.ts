import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { reproduceFormats, reproduceNonUniformity, reproduceVcgFlat, verdictText } from './findings.ts';
import { reproducePriceOfAnarchy } from './price-of-anarchy.ts';

const small = { auctions: 150, seeds: [200, 201], workers: 1 };

describe('findings', () => {
  it('F1: uniform first price is exactly efficient, and every claim has its figure', async () => {
    const { id, figures, verdicts } = await reproduceFormats(small);
    assert.equal(id, 'F1');
    assert.deepEqual(
      figures.generators.map(({ generator }) => generator),
      ['provably', 'gamma-topic'],
    );
    // P1 is a theorem; the orders are claims about means, which two small markets need not show.
    for (const { claim, passed } of verdicts) if (/P1/.test(claim)) assert.ok(passed, claim);
    assert.equal(verdicts.length, 1 + 8 + 1 + 4);
    const one = figures.generators[0].comparisons[0];
    assert.equal(one.separated, verdictText(one) === 'separated');
  });

  it('F2 and F3 look at the levels that they are about', async () => {
    const options = { ...small, generators: ['provably'] as const, seeds: [200] };
    const finer = await reproduceNonUniformity(options);
    assert.deepEqual(
      new Set(finer.figures.generators[0].cells.map(({ format }) => format)),
      new Set(['fpa', 'gsp']),
    );
    assert.equal(finer.verdicts.length, 2);
    // From K = 1, where first price is efficient, welfare can only fall.
    assert.ok(finer.verdicts[0].passed && finer.verdicts[0].measured > 0);
    const flat = await reproduceVcgFlat(options);
    assert.match(flat.verdicts[0].claim, /spread of mean welfare over K = 1, 2, 4, 8/);
    assert.ok(flat.verdicts[0].measured < 0.02);
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
