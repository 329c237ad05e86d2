import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng } from '../../core/rng.ts';
import { bagMeans } from '../bags/bags.ts';
import { chunkBags, randomBags } from '../bags/chunks.ts';
import { fitLinear } from '../models/linear-fit.ts';
import { conditionalRisk } from '../theory/conditional-risk.ts';
import { errorLimit, poolError } from './pool-error.ts';

const n = 240;
const d = 3;
const rng = createRng(7);
// Correlated columns far from 0.
const data = new Float64Array(n * d);
for (let i = 0; i < n; i++) {
  const shared = rng.normal();
  for (let j = 0; j < d; j++) data[i * d + j] = 50 + shared + 0.5 * rng.normal() * (j + 1);
}
const features = { data, rows: n, cols: d };
const truth = Float64Array.from({ length: n }, (_, i) => data[i * d] - 0.5 * data[i * d + 1] + 2);
const bags = randomBags({ samples: n, size: 6, seed: 1 });

describe('poolError', () => {
  it('is the error of the theory, at the coefficients and the variance it estimates', async () => {
    const responses = truth.map((mean) => mean + 0.5 * rng.normal());
    const noiseVariance = new Float64Array(40).fill(0.02);
    const answers = { features, bags, means: bagMeans(responses, bags), noiseVariance };
    const error = (await poolError(answers))!;
    const bagLevel = (await fitLinear(answers, { rho: 0 })).value;
    assert.ok(Math.abs(error.residualVariance - bagLevel.residualVariance!) < 1e-6 * error.residualVariance);
    // The same risk by another route: rows whose columns have identity second moments, from Gram-Schmidt over rows (1, x).
    const columns = [new Float64Array(n).fill(1)];
    for (let j = 0; j < d; j++) {
      const column = Float64Array.from({ length: n }, (_, i) => data[i * d + j]);
      for (let pass = 0; pass < 2; pass++) {
        for (const other of columns) {
          const along = other.reduce((sum, value, i) => sum + (value * column[i]) / n, 0);
          for (let i = 0; i < n; i++) column[i] -= along * other[i];
        }
      }
      const length = Math.sqrt(column.reduce((sum, value) => sum + value ** 2 / n, 0));
      columns.push(column.map((value) => value / length));
    }
    const white = {
      data: Float64Array.from({ length: n * 4 }, (_, at) => columns[at % 4][at >> 2]),
      rows: n,
      cols: 4,
    };
    const predictions = bagLevel.model.predict(features);
    const theta = columns.map((column) =>
      column.reduce((sum, value, i) => sum + (value * predictions[i]) / n, 0),
    );
    for (const rho of [0, 0.1, 1, 2]) {
      const { squaredBias, variance } = error.at(rho)!;
      const options = { noise: error.residualVariance, rho, noiseVariance };
      const known = conditionalRisk(white, bags, theta, options);
      assert.ok(Math.abs(squaredBias - known.squaredBias) < 1e-8 * (1 + known.squaredBias));
      assert.ok(Math.abs(variance - known.variance) < 1e-8 * known.variance);
      // ρ = 1: (SSW + Σ of the largest min(m, d + 1) noise terms) / n.
      if (rho === 1) assert.ok(squaredBias <= known.withinBagSquares / n + 1e-12);
    }
  });

  it('has a limit that errors keep to, but for their share', async () => {
    // Sorted bags of the true means: what is left of the bias is small, so noise decides.
    const sorted = chunkBags(truth, { size: 6, seed: 2 });
    let above = 0;
    const runs = 400;
    for (let run = 0; run < runs; run++) {
      const responses = truth.map((mean) => mean + 0.5 * rng.normal());
      const answers = { features, bags: sorted, means: bagMeans(responses, sorted) };
      const { model } = (await fitLinear(answers, { rho: 1 })).value;
      const error = model.predict(features).reduce((sum, value, i) => sum + (value - truth[i]) ** 2 / n, 0);
      if (error > errorLimit((await poolError(answers))!.at(1)!, 0.05)) above++;
    }
    // With known σ² the share is at most 0.05 of 400; 46 is six deviations above 20.
    assert.ok(above < 46, `${above} of ${runs}`);
  });

  it('has no answer for too few bags or dependent columns', async () => {
    const few = randomBags({ samples: n, size: 48, seed: 1 });
    assert.equal(await poolError({ features, bags: few, means: bagMeans(truth, few) }), undefined);
    const twice = { data: data.map((_, at) => data[at - (at % d)]), rows: n, cols: d };
    assert.equal(await poolError({ features: twice, bags, means: bagMeans(truth, bags) }), undefined);
  });
});
