import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng } from '../../core/rng.ts';
import { glmLearner, linearLearner } from '../models/learners.ts';
import { linearModel } from '../models/linear-model.ts';
import type { AggregateModel } from '../types.ts';
import { forecastPriorBoost } from './forecast.ts';

const rows = 800;
const rng = createRng(3);
const features = { data: Float64Array.from({ length: rows * 3 }, () => rng.normal()), rows, cols: 3 };
const pilot = linearModel({
  coefficients: Float64Array.of(1, -0.5, 0),
  center: new Float64Array(3),
  level: 0,
});
const base = {
  pilot,
  family: 'linear',
  residualVariance: 0.25,
  learner: linearLearner(),
  repeats: 4,
} as const;

describe('forecastPriorBoost', () => {
  it('forecasts what is known: the cost of random bags and of single labels, with and without ε', async () => {
    const candidates = [
      { bagSize: 8, stages: 2 },
      { bagSize: 8, stages: 2, epsilon: 8 },
    ];
    const { value, certificate } = await forecastPriorBoost(features, {
      ...{ ...base, candidates, bounds: [-4, 4], seed: 1 },
    });
    const [exact, noisy] = value;
    // Random bags keep 1/k of the slopes: (7/8)² · 1.25 of variance is lost; single labels err by σ²(d + 1)/n = 0.00125.
    assert.ok(Math.abs(exact.randomLabels.mean - 0.957) < 0.15, `${exact.randomLabels.mean}`);
    assert.ok(exact.single.mean > 0.0003 && exact.single.mean < 0.004, `${exact.single.mean}`);
    assert.ok(exact.boosted.mean < 0.2 * exact.randomLabels.mean);
    // Bag means alone: σ²(d + 1)k/n = 0.01.
    assert.ok(exact.randomMeans!.mean > 0.003 && exact.randomMeans!.mean < 0.03);
    // Noise of variance 2·(8/8)² on every label: (0.25 + 2)·4/800 = 0.011.
    assert.ok(noisy.single.mean > 4 * exact.single.mean && noisy.single.mean < 0.04);
    assert.equal(noisy.name, 'k = 8, 2 stages, ε = 8');
    assert.equal(certificate.bound.value, Math.max(exact.boosted.halfWidth, noisy.boosted.halfWidth));
    assert.ok(Math.abs(certificate.bound.failureProbability - 0.1) < 1e-12);
  });

  it('draws binary and count responses with the means of the pilot', async () => {
    const rate = (scale: number): AggregateModel => ({
      predict: ({ data, rows: n, cols }) =>
        Float64Array.from({ length: n }, (_, i) => scale / (1 + Math.exp(-data[i * cols]))),
      toJSON: () => ({ kind: 'rate' }),
    });
    for (const [family, scale] of [
      ['logistic', 1],
      ['poisson', 40],
    ] as const) {
      const options = { family, pilot: rate(scale), learner: glmLearner(family), repeats: 2 };
      const candidates = [{ bagSize: 4, stages: 2 }];
      const { value } = await forecastPriorBoost(features, { ...options, candidates });
      // The order of the means is learnt, so sorting pays.
      assert.ok(value[0].boosted.mean < 0.5 * value[0].randomLabels.mean, family);
      assert.equal(value[0].randomMeans, undefined);
      assert.ok(value[0].single.mean < 0.1 * scale ** 2);
    }
  });

  it('refuses what it cannot simulate', async () => {
    const candidates = [{ bagSize: 4 }];
    const wrong: [object, RegExp][] = [
      [{ candidates: [] }, /candidates\.length is 0/],
      [{ residualVariance: undefined }, /residualVariance is NaN/],
      [{ candidates: [{ bagSize: 4, epsilon: 1 }] }, /bounds are missing/],
      [{ family: 'logistic' }, /prediction of the pilot for row \d+ is/],
      [{ repeats: 1 }, /repeats is 1/],
    ];
    for (const [options, message] of wrong) {
      await assert.rejects(forecastPriorBoost(features, { ...base, candidates, ...options }), {
        code: 'INVALID_ARGUMENT',
        message,
      });
    }
  });
});
