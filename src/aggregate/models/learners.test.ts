import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Matrix64 } from '../../core/matrix.ts';
import { createRng } from '../../core/rng.ts';
import { bagMeans, bagsFromLists } from '../bags/bags.ts';
import type { AggregateData, ModelState } from '../types.ts';
import { externalLearner } from './external.ts';
import { glmLearner, linearLearner } from './learners.ts';
import { restoreModel } from './restore.ts';

const rng = createRng(9);
const features: Matrix64 = {
  data: Float64Array.from({ length: 80 }, () => 50 + rng.normal()),
  rows: 40,
  cols: 2,
};
// The last ten samples are in no bag.
const bags = bagsFromLists(
  Array.from({ length: 10 }, (_, a) => [3 * a, 3 * a + 1, 3 * a + 2]),
  40,
);
const labels = Float64Array.from({ length: 40 }, (_, i) => Number(features.data[2 * i] > 50));
const data: AggregateData = { features, bags, means: bagMeans(labels, bags) };

describe('learners', () => {
  for (const learner of [linearLearner({ ridge: 0.1 }), glmLearner('logistic'), glmLearner('poisson')]) {
    it(`${learner.name}: fits, ignores samples in no bag, and comes back from JSON with the same bits`, async () => {
      for (const rho of [0.5, 1, 'cv'] as const) {
        const model = await learner.fit(data, { rho, seed: 1, validationBags: [0, 1, 2, 3, 4, 5] });
        const predictions = model.predict(features);
        const restored = restoreModel(JSON.parse(JSON.stringify(model)));
        assert.deepEqual(restored.predict(features), predictions);
        assert.deepEqual(restored.toJSON(), model.toJSON());
        const elsewhere = { ...data, features: { ...features, data: features.data.slice().fill(1e9, 60) } };
        const other = await learner.fit(elsewhere, { rho, seed: 1, validationBags: [0, 1, 2, 3, 4, 5] });
        assert.deepEqual(other.toJSON(), model.toJSON());
        assert.throws(() => model.predict({ data: new Float64Array(3), rows: 1, cols: 3 }), {
          code: 'SHAPE',
          message: /3 columns; expected 2/,
        });
      }
      const strict = linearLearner({ unassigned: 'error' });
      await assert.rejects(strict.fit(data, { rho: 1, seed: 1 }), { message: /in no bag/ });
    });
  }

  it('takes any fit from soft labels, at ρ = 1', async () => {
    const seen: { rows: number; labels: Float64Array; weights: Float64Array }[] = [];
    const nearestMean = externalLearner('mean', {
      fit(x, softLabels, weights) {
        seen.push({ rows: x.rows, labels: softLabels, weights });
        assert.deepEqual(x.data.subarray(0, 6), features.data.subarray(0, 6));
        const mean = softLabels.reduce((sum, y) => sum + y / softLabels.length, 0);
        return { predict: ({ rows }) => new Array(rows).fill(mean) };
      },
    });
    const model = await nearestMean.fit(data, { rho: 1, seed: 0 });
    assert.equal(seen[0].rows, 30);
    assert.deepEqual(
      seen[0].labels,
      Float64Array.from({ length: 30 }, (_, i) => data.means[Math.floor(i / 3)]),
    );
    assert.ok(seen[0].weights.every((w) => w === 1));
    assert.equal(model.predict(features).length, 40);
    assert.throws(() => model.toJSON(), { code: 'UNSUPPORTED', message: /has no toJSON/ });
    for (const rho of [0.5, 'cv'] as const) {
      await assert.rejects(nearestMean.fit(data, { rho, seed: 0 }), {
        code: 'UNSUPPORTED',
        message: /expected 1, since learners from soft labels/,
      });
    }
    const broken = externalLearner('broken', {
      fit: async () => ({ predict: () => [1, Number.NaN], toJSON: (): ModelState => ({ kind: 'tree' }) }),
    });
    const bad = await broken.fit(data, { rho: 1, seed: 0 });
    assert.deepEqual(bad.toJSON(), { kind: 'tree' });
    assert.throws(() => bad.predict({ data: new Float64Array(4), rows: 2, cols: 2 }), {
      message: /prediction of row 1 is NaN/,
    });
    assert.throws(() => bad.predict(features), { code: 'SHAPE' });
  });
});

describe('restoreModel', () => {
  it('takes readers of other kinds, and names what is wrong with a state', () => {
    const constant = { predict: () => Float64Array.of(1), toJSON: (): ModelState => ({ kind: 'one' }) };
    assert.equal(restoreModel({ kind: 'one' }, { one: () => constant }), constant);
    const bad: [unknown, RegExp][] = [
      [{ kind: 'tree' }, /kind is "tree"; expected one of linear, logistic, poisson/],
      [{}, /kind is undefined/],
      [null, /kind is undefined/],
      [{ kind: 'toString' }, /kind is "toString"/],
      [{ kind: 'linear', coefficients: [1], center: [0] }, /level of the linear model is undefined/],
      [{ kind: 'linear', coefficients: [1, null], center: [0], level: 0 }, /coefficients of the linear/],
      [{ kind: 'poisson', coefficients: 'a', center: [0], level: 0 }, /coefficients of the poisson/],
      [{ kind: 'linear', coefficients: [1, 2], center: [0], level: 0 }, /length 1; expected 2/],
    ];
    for (const [state, message] of bad) assert.throws(() => restoreModel(state as ModelState), { message });
  });
});
