// The protocols on tables small enough for a unit test, and the acceptance figures that few seeds can tell.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { reproduceLabelPrivacy, reproduceLinear, reproduceLogistic, reproduceStageCounts } from './index.ts';
import { excessLogLoss, linearProblem, logisticProblem } from './problems.ts';
import { reproduceTables } from './tables.ts';

const failed = (verdicts: readonly { passed: boolean; claim: string; measured: number }[]) =>
  verdicts.filter(({ passed }) => !passed).map(({ claim, measured }) => `${claim}: ${measured}`);

describe('problems', () => {
  it('have the true means they say', () => {
    const { theta, truth, responses } = linearProblem({ rows: 4000, columns: 3, seed: 1 });
    assert.ok(Math.abs(Math.hypot(...theta) - 1) < 1e-12);
    const noise = responses.reduce((sum, y, i) => sum + (y - truth[i]) ** 2 / 4000, 0);
    // 0.25 ± 0.0056 (one deviation of a mean of 4000 squares): five of them.
    assert.ok(Math.abs(noise - 0.25) < 0.028);
    const binary = logisticProblem({ rows: 4000, columns: 3, seed: 1 }, 1);
    const gap = binary.responses.reduce((sum, y, i) => sum + (y - binary.truth[i]) / 4000, 0);
    assert.ok(Math.abs(gap) < 0.04);
    const perfect = { predict: () => binary.truth, toJSON: () => ({ kind: 'truth' }) };
    assert.ok(Math.abs(excessLogLoss(perfect, binary)) < 1e-12);
  });
});

describe('protocols of PriorBoost', () => {
  it('P1 shows its findings at the sizes of the reference, k = 8', async () => {
    const { verdicts, figures } = await reproduceLinear({ bagSizes: [4, 8], seeds: [3, 4] });
    // The seeds are fixed; over seeds 0 … 7 every figure clears its threshold by a third of it or more.
    assert.deepEqual(failed(verdicts), []);
    assert.equal(verdicts.length, 8);
    assert.equal(figures.methods.length, 9);
  });

  it('P2, P3 and P4 run, repeat and stop', async () => {
    const stages = { rows: 640, columns: 3, stages: [1, 2], seeds: [1, 2] };
    const p2 = await reproduceStageCounts(stages);
    assert.deepEqual(p2, await reproduceStageCounts(stages));
    // One stage is random bags.
    assert.ok(p2.figures.settings[0].error[0].mean > 0.6 && p2.figures.settings[0].error[1].mean < 0.3);
    const p3 = await reproduceLogistic({ rows: 1024, columns: 3, bagSizes: [2, 16], seeds: [1] });
    assert.equal(p3.figures.sizes[0].reference?.random, 0.0273);
    assert.equal(p3.figures.sizes[1].reference, undefined);
    assert.ok(p3.figures.single.mean < p3.figures.sizes[1].random.mean);
    const p4 = await reproduceLabelPrivacy({ rows: 1024, columns: 3, bagSizes: [1, 8], seeds: [1] });
    const oracle = p4.figures.methods[5].error;
    assert.ok(oracle[1].mean < oracle[0].mean);
    const signal = AbortSignal.abort(new Error('enough'));
    await assert.rejects(reproduceLabelPrivacy({ signal }), { message: 'enough' });
  });

  it('P5 measures Boston, or says why not', async () => {
    const { figures, verdicts } = await reproduceTables({ tables: ['boston'], seeds: [0, 1, 2] });
    assert.equal(figures.tables.length + figures.skipped.length, 1);
    assert.deepEqual(failed(verdicts), []);
    for (const { single, mean, sizes } of figures.tables) {
      assert.ok(single.mean < sizes[0].errors['two stages, pool last'].mean);
      assert.ok(sizes[2].errors['random, ρ = 1'].mean < mean.mean);
    }
  });
});
