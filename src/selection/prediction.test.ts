import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gaussianMixture } from '../data/datasets/index.ts';
import { drawSample } from './sampling/draw-sample.ts';
import { inclusionProbabilities } from './sampling/inclusion.ts';
import { selectData } from './select-data.ts';
import type { SamplingScheme } from './types.ts';
import { exactVariance, poissonVariance } from './variance.ts';

const mixture = gaussianMixture({ rows: 300, cols: 4, clusters: 6, seed: 5 });
const { points, losses } = mixture;
const total = losses.reduce((sum, loss) => sum + loss, 0);
const options = {
  loss: (ids: Uint32Array) => Float64Array.from(ids, (id) => losses[id]),
  clustering: mixture,
  size: 50,
};
const select = async (scheme: SamplingScheme, probes: number | 'auto' = 1000) =>
  (await selectData(points, { ...options, scheme, probes })).value;

describe('predictError', () => {
  it('is the exact variance when every row was probed', async () => {
    const iid = await select('hansen-hurwitz');
    const p = iid.model.probabilities;
    assert.ok(Math.abs(iid.predicted.variance / exactVariance(losses, p, 50) - 1) < 1e-9);
    assert.ok(Math.abs(iid.predicted.total / total - 1) < 1e-12);
    const uniform = exactVariance(losses, new Float64Array(300).fill(1 / 300), 50);
    assert.ok(Math.abs(iid.predicted.uniformRelativeError / (Math.sqrt(uniform) / total) - 1) < 1e-9);
    const poisson = await select('poisson');
    const { inclusion } = inclusionProbabilities(p, 50);
    assert.ok(Math.abs(poisson.predicted.variance / poissonVariance(losses, inclusion) - 1) < 1e-9);
  });

  it('is close to the spread of fixed-size samples', async () => {
    const { predicted, model } = await select('fixed-size');
    let spread = 0;
    for (let seed = 0; seed < 3000; seed++) {
      const { ids, weights } = drawSample(model.probabilities, { size: 50, seed, scheme: 'fixed-size' });
      spread += (ids.reduce((sum, id, j) => sum + weights[j] * losses[id], 0) - total) ** 2 / 3000;
    }
    // Measured to 2.6 % (one s.e. of 3 000 squares); the rest is for the approximation and the order of the rows.
    assert.ok(
      Math.abs(predicted.variance / spread - 1) < 0.2,
      `predicted/measured = ${predicted.variance / spread}`,
    );
  });

  it('says what it rests on', async () => {
    assert.equal((await select('fixed-size', 'auto')).predicted.basis, 'probes');
    const { value } = await selectData(points, { ...options, mode: 'balanced' });
    assert.equal(value.predicted.basis, 'proxies only');
  });
});
