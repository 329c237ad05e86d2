import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SweepCell } from './cell.ts';
import { compareColumns } from './compare.ts';
import { sweep } from './sweep.ts';

const small = { name: 'provably' as const, auctions: 150 };

describe('sweep', () => {
  it('gives the same bits for any number of workers, in a fixed order', async () => {
    const options = {
      generator: small,
      seeds: [7, 3],
      levels: [1, 2],
      search: { iterations: 8, rounds: 4, mixed: 'never' as const },
    };
    const alone = await sweep({ ...options, workers: 1 });
    const together = await sweep({ ...options, workers: 2 });
    assert.deepEqual(together, alone);
    assert.deepEqual(
      alone.value.cells.slice(0, 4).map(({ seed, format, level }) => [seed, format, level]),
      [
        [7, 'fpa', 1],
        [7, 'fpa', 2],
        [7, 'gsp', 1],
        [7, 'gsp', 2],
      ],
    );
    assert.equal(alone.value.record.seed, 7);
  });

  it('finds the orders of the formats where they are clear, and that levels do nothing in VCG', async () => {
    // At a fifth of the size of the reproduction, and few seeds: only what is separated by ten times its regret is asserted.
    const { value, certificate } = await sweep({
      generator: { name: 'provably', auctions: 400 },
      seeds: [200, 201, 202],
      levels: [1, 8],
      search: { rounds: 8, mixed: 'never' },
    });
    const find = (a: string, b: string, level: number, other = level) =>
      value.comparisons.find(
        (c) =>
          c.measure === 'welfare' &&
          c.a.format === a &&
          c.b.format === b &&
          c.a.level === level &&
          c.b.level === other,
      )!;
    assert.ok(find('fpa', 'vcg', 1).above === 3 && find('fpa', 'vcg', 1).difference > 0.005);
    assert.ok(find('fpa', 'gsp', 1).above === 3);
    assert.ok(find('gsp', 'vcg', 1).above === 3);
    assert.ok(find('fpa', 'fpa', 1, 8).above === 3);
    assert.ok(Math.abs(find('vcg', 'vcg', 1, 8).difference) < 0.001);
    for (const cell of value.cells) {
      assert.ok(cell.maxOverspend <= 1e-4);
      if (cell.format === 'fpa' && cell.level === 1) assert.ok(Math.abs(cell.welfare - 1) <= 1e-9);
    }
    const worst = Math.max(...value.cells.map((cell) => cell.meanRegretBound));
    assert.equal(certificate.bound.value, worst);
  });

  it('ends its workers when cancelled', async () => {
    const controller = new AbortController();
    const run = sweep({
      generator: small,
      seeds: [1, 2, 3],
      levels: [2],
      workers: 2,
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('enough')),
    });
    await assert.rejects(run, { message: 'enough' });
    await assert.rejects(sweep({ signal: controller.signal }), { message: 'enough' });
  });

  it('names what is wrong before any worker starts', async () => {
    await assert.rejects(sweep({ seeds: [] }), /seeds is empty/);
    await assert.rejects(sweep({ seeds: [4, 4] }), /seeds\[1\] is 4 again/);
    await assert.rejects(sweep({ levels: [2, 3] }), /levels/);
    await assert.rejects(sweep({ formats: ['magic' as 'fpa'] }), /formats\[0\] is "magic"/);
    await assert.rejects(sweep({ generator: { name: 'provably', auctions: 0 } }), /auctions is 0/);
    await assert.rejects(sweep({ workers: 0 }), /workers is 0/);
  });
});

describe('compareColumns', () => {
  const cell = (seed: number, format: 'fpa' | 'gsp', welfare: number, regret: number): SweepCell => ({
    seed,
    format,
    level: 1,
    welfare,
    profit: 0,
    meanRegret: regret,
    maxRegret: regret,
    meanRegretBound: regret,
    maxRegretBound: regret,
    maxOverspend: 0,
    converged: true,
    strategies: 'pure',
    bindingShare: 1,
    lastQuarter: { welfare, profit: 0 },
  });
  const cells = (gap: number, regret: number) =>
    [1, 2, 3, 4, 5].flatMap((seed) => [
      cell(seed, 'gsp', 0.9 + seed / 100, regret / 2),
      cell(seed, 'fpa', 0.9 + seed / 100 + gap + (seed - 3) / 1e4, regret),
    ]);
  const options = { confidence: 0.95, resamples: 500, seed: 1 };
  const [a, b] = [
    { format: 'fpa', level: 1 },
    { format: 'gsp', level: 1 },
  ] as const;

  it('calls a difference separated when it is clear of both seeds and regret', async () => {
    const clear = await compareColumns(cells(0.01, 0.005), 'welfare', a, b, options);
    assert.ok(Math.abs(clear.difference - 0.01) < 1e-12);
    assert.ok(clear.interval.low > 0.009 && clear.interval.high < 0.011);
    assert.deepEqual([clear.above, clear.below, clear.separated], [5, 0, true]);
    assert.ok(Math.abs(clear.regret - 0.005) < 1e-12);
    const coarse = await compareColumns(cells(0.01, 0.02), 'welfare', a, b, options);
    assert.equal(coarse.separated, false);
    const none = await compareColumns(cells(0, 0), 'welfare', a, b, options);
    assert.equal(none.separated, false);
    const reversed = await compareColumns(cells(0.01, 0.005), 'welfare', b, a, options);
    assert.ok(reversed.separated && reversed.difference < 0);
  });
});
