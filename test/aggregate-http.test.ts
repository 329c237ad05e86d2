// From a table of labels to a model, with the labels behind HTTP all the way: PriorBoost as an analyst runs it.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { verifyLedger } from '../src/aggregate/aggregator/index.ts';
import { linearLearner, priorBoost } from '../src/aggregate/index.ts';
import { createRng } from '../src/core/rng.ts';
import { serveLabels } from './serving-labels.ts';

describe('PriorBoost against an aggregator', () => {
  it('learns in two stages, and every person pays once', async () => {
    const n = 3000;
    const d = 4;
    const rng = createRng(3);
    const truth = [1, -0.5, 0.25, 0];
    const data = Float64Array.from({ length: n * d }, () => rng.normal());
    const features = { data, rows: n, cols: d };
    const mean = (i: number) => truth.reduce((sum, theta, j) => sum + theta * data[i * d + j], 0);
    const labels = Float64Array.from({ length: n }, (_, i) => mean(i) + 0.3 * rng.normal());
    const epsilon = 8;
    await using serving = await serveLabels({
      labels,
      aggregator: {
        ...{ minBag: 10, budget: epsilon, epsilonPerRelease: epsilon, bounds: [-5, 5], grid: 0.01 },
        maxBags: 40,
      },
    });
    const { keys, client, aggregator, auditor, ledger } = serving;
    const { minBag } = await serving.analyst.info();
    const ids = Array.from({ length: n }, (_, i) => i);
    const query = client({ apiKey: keys.analyst }).bagQuery(ids);
    const { value } = await priorBoost({
      ...{ features, query, bagSize: minBag, stages: 2, learner: linearLearner() },
      ...{ preset: 'paper', priorRho: 0, seed: 1 },
    });
    // Nobody was asked about twice, so the whole costs ε, not 2ε.
    assert.equal(aggregator.largestSpend, epsilon);
    const predicted = value.model.predict(features);
    let error = 0;
    for (let i = 0; i < n; i++) error += (predicted[i] - mean(i)) ** 2 / n;
    // The noise cannot be seeded: in 40 runs the error was 0.006 in the middle and 0.020 at most. It is about a quadratic form of four normal errors,
    // so that 0.15 is passed with probability below 1e-12; random bags with ρ = 1 would leave 0.81 of the variance, 1.06.
    assert.ok(error < 0.15, `mean squared error ${error}`);
    const head = await auditor.head();
    const { value: report } = await verifyLedger(ledger, { head: head.hash });
    assert.deepEqual(
      [report.valid, report.stages, report.largestSpend, report.peopleCharged],
      [true, 2, epsilon, n],
    );
    // The same run again gets the same answers, and so the same model, for nothing.
    const again = await priorBoost({
      ...{ features, query, bagSize: minBag, stages: 2, learner: linearLearner() },
      ...{ preset: 'paper', priorRho: 0, seed: 1 },
    });
    assert.deepEqual(again.value.model.toJSON(), value.model.toJSON());
    assert.equal(aggregator.largestSpend, epsilon);
    // Another seed makes other bags: in the same stages they overlap, in new ones they cost more than is left.
    for (const [run, reason] of [
      ['priorboost', 'overlap'],
      ['other', 'budget-exceeded'],
    ]) {
      const other = priorBoost({
        ...{ features, query, bagSize: minBag, stages: 2, learner: linearLearner(), seed: 2, run },
      });
      await assert.rejects(other, { code: 'REFUSED', reason });
    }
  });
});
