// PriorBoost against an aggregator over HTTP: the analyst's process never holds a label.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { verifyLedger } from '../src/aggregate/aggregator/index.ts';
import {
  bagCount,
  finishPriorBoost,
  ingestStage,
  linearLearner,
  planStage,
  priorBoost,
  readPriorBoostState,
  startPriorBoost,
} from '../src/aggregate/index.ts';
import { createRng } from '../src/core/rng.ts';
import { range, serveLabels } from './serving-labels.ts';

const samples = 600;
const rng = createRng(2);
const features = {
  data: Float64Array.from({ length: samples * 2 }, () => rng.normal()),
  rows: samples,
  cols: 2,
};
const labels = Float64Array.from({ length: samples }, (_, i) => {
  const mean = 0.5 + 0.15 * features.data[2 * i] - 0.1 * features.data[2 * i + 1];
  return Math.min(1, Math.max(0, mean + 0.05 * rng.normal()));
});
const ids = range(0, samples);
const aggregator = { minBag: 10, budget: 4, epsilonPerRelease: 2, grid: 0.01 };
const settings = { learner: linearLearner(), bagSize: 10, stages: 3, bagger: 'chunk', seed: 1 } as const;

describe('PriorBoost over HTTP', () => {
  it('learns from noisy means, each person charged once a run, and the ledger verifies', async () => {
    // Nobody can seed this noise, so it is small: its scale in a sum is 0.005 at ε = 200, and one of the 60 means moves by 0.01 with probability 60·e⁻²⁰ = 1.2e-7.
    await using serving = await serveLabels({
      labels,
      aggregator: { ...aggregator, budget: 400, epsilonPerRelease: 200 },
    });
    const { analyst, auditor, ledger } = serving;
    const query = analyst.bagQuery(ids);
    const { value } = await priorBoost({ ...settings, features, query, epsilon: 200 });
    assert.equal(value.privacy.epsilon, 200);
    const [alongX, alongY] = value.model.toJSON().coefficients as number[];
    // Without noise they are 0.149 and −0.075: the instance-level loss shrinks.
    assert.ok(alongX > 0.05 && alongX < 0.25 && alongY < 0 && alongY > -0.2, `${alongX}, ${alongY}`);
    const answered: unknown[] = [];
    for await (const { kind, stage } of auditor.log()) if (kind === 'answer') answered.push(stage);
    assert.deepEqual(answered, ['priorboost.1', 'priorboost.2', 'priorboost.3']);
    // A second run spends the rest of everybody's budget; a third is refused before it learns anything.
    const again = { ...settings, features, query, seed: 2 };
    await priorBoost({ ...again, run: 'again' });
    await assert.rejects(priorBoost({ ...again, run: 'third' }), { reason: 'budget-exceeded' });
    const { valid, largestSpend, peopleCharged, bagsCharged } = (await verifyLedger(ledger)).value;
    assert.deepEqual([valid, largestSpend, peopleCharged, bagsCharged], [true, 400, samples, 2 * 60]);
  });

  it('goes on from a file after a crash between asking and ingesting: the same answers, paid once', async () => {
    await using serving = await serveLabels({ labels, aggregator: { ...aggregator, budget: 2 } });
    const query = serving.analyst.bagQuery(ids);
    const thaw = (text: string) => readPriorBoostState(JSON.parse(text));
    let file = JSON.stringify(startPriorBoost(features, settings));
    for (;;) {
      const planned = await planStage(thaw(file), features, settings);
      file = JSON.stringify(planned.state);
      if (!planned.plan) break;
      const lost = await query(planned.plan.bags, planned.plan.stage);
      // The process died here: its successor plans the same bags and asks again.
      const { state, plan } = await planStage(thaw(file), features, settings);
      const answers = await query(plan!.bags, plan!.stage);
      assert.deepEqual(answers, lost);
      assert.equal(answers.means.length, bagCount(plan!.bags));
      file = JSON.stringify(ingestStage(state, answers));
    }
    const { value } = await finishPriorBoost(thaw(file), features, settings);
    assert.equal(value.stages.length, 3);
    const { valid, largestSpend, bagsCharged, bagsRepeated } = (await verifyLedger(serving.ledger)).value;
    assert.deepEqual([valid, largestSpend, bagsCharged, bagsRepeated], [true, 2, 60, 60]);
  });

  it('is refused bags below what the aggregator answers, and nothing is charged', async () => {
    await using serving = await serveLabels({ labels, aggregator });
    const query = serving.analyst.bagQuery(ids);
    await assert.rejects(priorBoost({ ...settings, bagSize: 9, features, query }), {
      reason: 'bag-too-small',
    });
  });
});
