import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gaussianMixture } from '../data/datasets/index.ts';
import { exactTotal } from './oracle.ts';
import { drawSample } from './sampling/draw-sample.ts';

describe('the theorem', () => {
  it('holds: Δ ≤ εT in at least 90 % of the seeds, for every scheme it is proved for', () => {
    const { losses, distances, representatives, labels, lambda } = gaussianMixture({
      rows: 2000,
      cols: 4,
      clusters: 25,
      lambda: 0.5,
      seed: 9,
    });
    const total = exactTotal(losses);
    const scores = Float64Array.from(
      distances,
      (d, e) => losses[representatives[labels[e]]] + lambda[labels[e]] * Math.sqrt(d),
    );
    const T = exactTotal(scores);
    const p = scores.map((score) => score / T);
    for (const [epsilon, size] of [
      [0.1, 620],
      [0.2, 160],
    ]) {
      for (const scheme of ['hansen-hurwitz', 'fixed-size', 'poisson'] as const) {
        const seeds = scheme === 'hansen-hurwitz' ? 2000 : 500;
        const errors = Float64Array.from({ length: seeds }, (_, seed) => {
          const { ids, weights } = drawSample(p, { size, seed, scheme });
          return Math.abs(ids.reduce((s, id, j) => s + weights[j] * losses[id], 0) - total) / (epsilon * T);
        }).sort();
        // The bound allows a tenth to fail; none is expected, so chance cannot make this fail.
        assert.ok(
          errors[0.9 * seeds - 1] <= 1,
          `${scheme}: ${errors.filter((x) => x > 1).length} of ${seeds} failed`,
        );
        // The bound is loose, by a known amount: the median error is a tenth to a third of it.
        const median = errors[seeds / 2];
        assert.ok(median > 0.02 && median < 0.5, `median Δ/(εT) = ${median}`);
      }
    }
  });

  it('is nearly tight in the variance where ℓ = σ on one row and 0 elsewhere', () => {
    // Var = (T·ℓ/1 − ℓ²)/s against the bound T·Σℓ/s: the ratio is 1 − ℓ/T.
    const p = new Float64Array(100).fill(1 / 100);
    let squares = 0;
    for (let seed = 0; seed < 4000; seed++) {
      const { ids, weights } = drawSample(p, { size: 50, seed });
      const estimate = ids.reduce((s, id, j) => s + (id === 0 ? weights[j] : 0), 0);
      squares += (estimate - 1) ** 2 / 4000;
    }
    // Bound 100·1/50 = 2; exact 1.98. The mean of 4 000 squares with kurtosis about 5 has standard error 0.06: 5 of them.
    assert.ok(squares > 1.66 && squares < 2.3, `${squares}`);
  });
});
