// The protocols at sizes small enough for a unit test: that they run, repeat, count and stop. What they measure at full
// size is for `provably reproduce aggregate`.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { reproduceBostonLinear } from './linear-tables.ts';
import { reproduceNetwork } from './network.ts';
import { reproducePrivacyPhase } from './privacy-phase.ts';
import { reproduceRealTables } from './real-tables.ts';
import { reproduceRhoCurve } from './rho-curve.ts';
import { errorOfMean, randomBagData, splitTable, testError } from './test-error.ts';
import { reproduceTheoryCurve } from './theory-curve.ts';

const table = {
  name: 'line',
  features: { data: Float64Array.from({ length: 80 }, (_, i) => (i * 7) % 80), rows: 80, cols: 1 },
  columns: ['x'],
  response: Float64Array.from({ length: 80 }, (_, i) => 3 + 2 * ((i * 7) % 80)),
  responseName: 'y',
  kind: 'regression' as const,
  dropped: [],
};

describe('splits', () => {
  it('hold each row once, standardised by the rows to train on, with exact means', () => {
    const split = splitTable(table, 4);
    assert.deepEqual([split.features.rows, split.testFeatures.rows], [60, 20]);
    const responses = [...split.response, ...split.testResponse].sort((a, b) => a - b);
    assert.deepEqual(
      responses,
      [...table.response].sort((a, b) => a - b),
    );
    const mean = split.features.data.reduce((sum, x) => sum + x, 0) / 60;
    assert.ok(Math.abs(mean) < 1e-12);
    const { bags, means } = randomBagData(split, 7, 4);
    assert.equal(bags.offsets.length - 1, 8);
    for (let a = 0; a < means.length; a++) {
      const members = bags.members.subarray(bags.offsets[a], bags.offsets[a + 1]);
      const sum = members.reduce((s, i) => s + split.response[i], 0);
      assert.ok(Math.abs(means[a] - sum / members.length) < 1e-12 * Math.abs(sum));
    }
    const truth = { predict: () => split.testResponse, toJSON: () => ({ kind: 'truth' }) };
    assert.equal(testError(truth, split), 0);
    assert.ok(errorOfMean(split) > 0);
  });
});

describe('protocols', () => {
  it('A1 finds theory in simulation and the figures of the reference', async () => {
    const options = { features: 60, repeats: 30, psis: [2, 8], bagSizes: [3] };
    const { figures, verdicts } = await reproduceTheoryCurve(options);
    assert.equal(figures.cells.length, 2 * 1 * 3 * 5);
    for (const { claim, passed, measured } of verdicts) assert.ok(passed, `${claim}: ${measured}`);
    assert.deepEqual((await reproduceTheoryCurve(options)).figures, figures);
  });

  it('A2 and A3 show all their claims', async () => {
    const curve = await reproduceRhoCurve({ features: 60, repeats: 40 });
    const phase = await reproducePrivacyPhase({ features: 30, repeats: 80 });
    for (const { claim, passed, measured } of [...curve.verdicts, ...phase.verdicts]) {
      assert.ok(passed, `${claim}: ${measured}`);
    }
    assert.deepEqual(
      phase.figures.finite.map(({ best }) => best),
      [10, 10, 3, 1],
    );
  });

  it('A4 repeats itself, has every cell, and stands beside the reference', async () => {
    const report = await reproduceBostonLinear({ seeds: [0, 1] });
    assert.deepEqual((await reproduceBostonLinear({ seeds: [0, 1] })).figures, report.figures);
    const { cells, individual, mean } = report.figures;
    assert.equal(cells.length, 12);
    assert.equal(individual.values.length, 2);
    assert.ok(individual.mean < 0.4 * mean.mean);
    assert.ok(cells.every(({ reference, error }) => reference > 20 && error.mean > individual.mean * 0.9));
  });

  it('A5 trains one network a cell', async () => {
    const options = { seeds: [0], bagSizes: [20, 80], rhos: [0, 0.01, 1], epochs: 3 };
    const { figures, verdicts } = await reproduceNetwork(options);
    assert.deepEqual(
      figures.bySize.map(({ errors }) => errors.length),
      [3, 3],
    );
    assert.ok(figures.bySize.every(({ errors }) => errors.every(({ error }) => error.mean > 0)));
    assert.equal(verdicts.length, 4);
  });

  it('the tour compares bags with single labels, exact and private, and with the plan', async () => {
    const { figures } = await reproduceRealTables({ seeds: [0, 1], bagSizes: [5, 20] });
    assert.deepEqual(
      figures.map(({ table: name }) => name),
      ['Boston house prices', 'CPS wages 1985'],
    );
    for (const { bySize, mean, plans, certificates } of figures) {
      assert.deepEqual(
        bySize.map(({ bagSize }) => bagSize),
        [1, 5, 20],
      );
      const [single, five] = bySize;
      assert.ok(single.exact.mean < five.exact.mean && five.exact.mean < mean.mean);
      assert.ok(single.releasedPlanned.mean > single.exact.mean);
      assert.deepEqual(
        plans.released.byBagSize.map(({ bagSize }) => bagSize),
        [1, 5, 20],
      );
      assert.deepEqual(five.plannedRho, {
        exact: plans.exact.byBagSize[1].rho,
        released: plans.released.byBagSize[1].rho,
      });
      assert.ok(certificates.fit?.audit?.kept);
    }
  });

  it('stop when told to', async () => {
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    for (const run of [
      reproduceTheoryCurve,
      reproduceRhoCurve,
      reproducePrivacyPhase,
      reproduceBostonLinear,
      reproduceNetwork,
      reproduceRealTables,
    ]) {
      await assert.rejects(run({ signal }), reason);
    }
  });
});
