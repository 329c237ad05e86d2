// The protocols on data small enough for a unit test: that they run, repeat, count and stop. What they measure on real
// data is for `provably reproduce`.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng } from '../../core/rng.ts';
import { gasSensorRegression, type LabelledDataset, type LabelledRows } from '../../data/datasets/index.ts';
import { reproduceAccuracy } from './accuracy.ts';
import { spendBudget } from './active-selection.ts';
import { reproduceEstimation } from './estimation.ts';
import { reproduceClusterCounts } from './k-sweep.ts';
import { LONG_TAIL_ALL_ARMS, reproduceLongTail } from './long-tail.ts';
import { reproduceOutliers } from './outliers.ts';
import { uniformPool } from './pool.ts';
import { reproduceRegression } from './regression.ts';
import { reproduceRounds } from './rounds.ts';

/** Three overlapping clouds in five dimensions. */
function clouds(count: number, seed: number): LabelledRows {
  const rng = createRng(seed);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 3);
  const data = new Float32Array(count * 5);
  for (let i = 0; i < data.length; i++)
    data[i] = rng.normal() + (i % 5 === labels[Math.floor(i / 5)] ? 2 : 0);
  return { features: { data, rows: count, cols: 5 }, labels };
}

const dataset: LabelledDataset = {
  name: 'clouds',
  train: clouds(900, 1),
  test: clouds(300, 2),
  classes: ['a', 'b', 'c'],
};
const training = { hidden: [16], epochs: 30, learningRate: 0.01 };

describe('spendBudget', () => {
  const options = { budget: 60, seed: 4, training, arms: LONG_TAIL_ALL_ARMS };

  it('trains every arm on as many rows as the budget has, pilot and choice apart', async () => {
    const pool = await uniformPool(600, { dataset });
    const run = await spendBudget(pool, options);
    assert.deepEqual(
      Object.keys(run.accuracy),
      LONG_TAIL_ALL_ARMS.map(({ name }) => name),
    );
    for (const { name } of LONG_TAIL_ALL_ARMS) {
      const { ids } = run.choices[name];
      assert.deepEqual([ids.length, new Set(ids).size], [48, 48], name);
      assert.ok(ids.every((id) => id < 588));
      const bought = [...run.pilot.trained, ...Array.from(ids, (id) => run.pilot.candidates[id])];
      const labels = bought.map((id) => pool.rows.labels[id]);
      const wanted = [0, 1, 2].map((c) => labels.filter((label) => label === c).length);
      assert.deepEqual(run.classCounts[name], wanted, name);
      assert.ok(run.accuracy[name] > 45, `${name} is better than guessing: ${run.accuracy[name]} %`);
    }
    assert.deepEqual([run.pilot.trained.length, run.pilot.candidates.length], [12, 588]);
    const everyone = new Set([...run.pilot.trained, ...run.pilot.candidates]);
    assert.equal(everyone.size, 600);
  });

  it('buys no loss for uniform, k for balanced, more for robust scores', async () => {
    const { queries } = await spendBudget(await uniformPool(600, { dataset }), options);
    assert.deepEqual([queries.uniform, queries.margin, queries['k-center']], [0, 0, 0]);
    assert.equal(queries.sensitivity, 10);
    assert.equal(queries['sensitivity, weighted'], 10);
    assert.ok(queries['sensitivity, robust'] > 10);
  });

  it('lets arms share a choice but not its weights', async () => {
    const { choices, accuracy } = await spendBudget(await uniformPool(600, { dataset }), options);
    assert.equal(choices.sensitivity, choices['sensitivity, weighted']);
    assert.notEqual(accuracy.sensitivity, accuracy['sensitivity, weighted']);
  });

  it('refuses a budget that leaves nothing to choose', async () => {
    const pool = await uniformPool(100, { dataset });
    for (const budget of [1, 101]) {
      await assert.rejects(spendBudget(pool, { ...options, budget }), {
        code: 'INVALID_ARGUMENT',
        message: /budget/,
      });
    }
  });
});

describe('protocols', () => {
  it('X1 measures what the variance identity says', async () => {
    const report = await reproduceEstimation({
      dataset,
      seeds: [0, 1],
      sizes: [40, 160],
      repeats: 300,
      poolSize: 500,
      pilotSize: 100,
      k: 20,
    });
    for (const { method, error, exactError } of report.figures) {
      if (method === 'paper') continue; // heavy-tailed by design: the lesson of the protocol
      error.forEach(({ mean }, j) => {
        // A root mean square of 600 errors has relative standard error about 3–4 % for kurtosis 3–5.
        assert.ok(
          Math.abs(mean / exactError[j].mean - 1) < 0.2,
          `${method}: ${mean} ≠ ${exactError[j].mean}`,
        );
      });
    }
    assert.equal(report.verdicts.length, 3);
    const [uniform, robust] = report.figures;
    assert.equal(uniform.queries, 0);
    assert.ok(robust.queries >= 20);
    // The exact error falls as 1/√s: halved from 40 to 160.
    assert.ok(Math.abs(uniform.exactError[0].mean / uniform.exactError[1].mean - 2) < 1e-12);
  });

  it('X2 and X2b give one accuracy per seed and arm', async () => {
    const common = { dataset, seeds: [3, 5], budgets: [60] };
    const accuracy = await reproduceAccuracy({ ...common, poolSize: 600 });
    assert.deepEqual(accuracy.figures[0].accuracy.uniform.values.length, 2);
    assert.equal(accuracy.verdicts.length, 3);
    const tail = await reproduceLongTail({ ...common, head: 200, redraws: 50 });
    const [figures] = tail.figures.budgets;
    assert.deepEqual(tail.figures.poolClassCounts, [200, 28, 4]);
    assert.deepEqual(Object.keys(figures.gain), ['sensitivity']);
    for (const run of figures.meanLoss) {
      assert.equal(run.rows, 220);
      assert.equal(run.covered, run.interval.low <= run.exact && run.exact <= run.interval.high);
      assert.ok(run.coverage > 0.6, `${run.coverage}`);
      assert.equal(run.certificate.audit?.sample, 'all 220 rows');
    }
  });

  it('X3 needs fewer rows than uniform sampling where rows have heavy tails', async () => {
    const data = gasSensorRegression({ rows: 1500, cols: 12, seed: 3 });
    const { figures, verdicts } = await reproduceRegression({ data, sizes: [40, 130], seeds: [0, 1, 2] });
    assert.deepEqual(
      figures.map(({ method }) => method),
      ['uniform', 'leverage', 'clusters', 'distance only'],
    );
    for (const { median, lowerQuartile, upperQuartile } of figures) {
      median.forEach((cost, j) => {
        assert.ok(cost >= 1 && lowerQuartile[j] <= cost && cost <= upperQuartile[j]);
      });
      assert.ok(median[1] < median[0], 'more rows fit better');
    }
    assert.equal(verdicts.length, 2, 'only 130 rows are 5 d or more');
  });

  it('X4 catches k-center with the outliers', async () => {
    const { figures } = await reproduceOutliers({ rows: 2000, share: 0.005, size: 60, k: 30, seeds: [1] });
    assert.ok(figures.kCenter.mean >= 0.9);
    const own = figures.sensitivity.filter(({ centers }) => centers === 'all rows');
    assert.ok(own.every(({ outlierCenters }) => outlierCenters.mean > 0));
    const apart = figures.sensitivity.filter(({ centers }) => centers === 'without outliers');
    assert.ok(apart.every(({ outlierCenters }) => outlierCenters.mean === 0));
    const [linear, squared] = apart;
    assert.ok(linear.share.mean <= squared.share.mean);
  });

  it('X5 asks k losses per round', async () => {
    const { figures } = await reproduceRounds({ dataset, head: 200, budget: 75, rounds: [1, 2], seeds: [0] });
    const [one, two] = figures;
    assert.deepEqual([one.change.length, two.change.length], [0, 1]);
    assert.ok(two.change[0] > 0 && two.change[0] < 1);
    assert.deepEqual([one.queries, two.queries], [12, 20], 'k = 60/5, then twice the least k of 10');
    assert.equal(one.gain.mean, 0);
  });

  it('X6 takes the losses it asked for from the budget', async () => {
    const sweep = async (queryBudget: number) => {
      const sizes = { clusterCounts: [5, 50, 300], poolSize: 500, pilotSize: 100 };
      return (await reproduceClusterCounts({ dataset, seeds: [0], ...sizes, queryBudget })).figures;
    };
    const [small, large] = [await sweep(300), await sweep(590)];
    assert.deepEqual(
      small.map(({ k }) => k),
      [5, 50, 300],
    );
    assert.equal(small[2].errorAtFixedQueries, Infinity, 'nothing is left to sample');
    // 5 representatives and 5 probes leave 290 and 580 draws; the variance goes with 1/draws.
    const ratio = small[0].errorAtFixedQueries / large[0].errorAtFixedQueries;
    assert.ok(Math.abs(ratio - Math.SQRT2) < 1e-12, `${ratio}`);
    assert.ok(small.every(({ looseness }) => looseness.mean > 1));
  });

  it('repeat with their seeds, and stop when aborted', async () => {
    const options = { dataset, seeds: [2], budgets: [60], head: 200 };
    assert.deepEqual(await reproduceLongTail(options), await reproduceLongTail(options));
    const abort = new AbortController();
    const onProgress = () => abort.abort(new Error('enough'));
    await assert.rejects(reproduceLongTail({ ...options, signal: abort.signal, onProgress }), {
      message: 'enough',
    });
  });
});
