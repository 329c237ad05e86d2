import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { row } from '../../core/matrix.ts';
import { gasSensorRegression, gaussianMixture, outlierMixture } from './synthetic.ts';

const distance = (a: Float32Array, b: Float32Array) => Math.hypot(...a.map((value, j) => value - b[j]));

describe('gaussianMixture', () => {
  it('has losses that are Hölder around the center rows with the constants it names', () => {
    const mixture = gaussianMixture({ rows: 2000, seed: 4 });
    const { points, labels, representatives, distances, losses, lambda } = mixture;
    let tightest = 0;
    for (let i = 0; i < points.rows; i++) {
      const center = representatives[labels[i]];
      const away = distance(row(points, i), row(points, center));
      assert.ok(Math.abs(Math.sqrt(distances[i]) - away) <= 1e-6 * away);
      const bound = lambda[labels[i]] * away;
      const change = Math.abs(losses[i] - losses[center]);
      // n · ε covers the order of the sum of squares.
      assert.ok(losses[i] >= 0 && change <= bound * (1 + 1e-6), `row ${i}: ${change} > ${bound}`);
      if (bound > 0) tightest = Math.max(tightest, change / bound);
    }
    assert.ok(tightest > 0.99, 'the constants cannot be lowered much');
    assert.deepEqual(gaussianMixture({ clusters: 3, lambda: 0.2 }).lambda, new Float64Array(3).fill(0.2));
  });

  it('makes clusters of one size unless told otherwise', () => {
    const { labels } = gaussianMixture({ rows: 60, clusters: 4 });
    for (let c = 0; c < 4; c++) assert.equal(labels.filter((label) => label === c).length, 15);
  });

  it('repeats with its seed', () => {
    assert.deepEqual(gaussianMixture({ rows: 50, seed: 2 }), gaussianMixture({ rows: 50, seed: 2 }));
    assert.notDeepEqual(gaussianMixture({ rows: 50, seed: 2 }), gaussianMixture({ rows: 50, seed: 3 }));
  });

  it('puts outliers far away and lets cluster sizes fall', () => {
    const { points, outliers, labels } = outlierMixture({ rows: 5000, seed: 1 });
    assert.deepEqual([...outliers], [4995, 4996, 4997, 4998, 4999]);
    const norm = (i: number) => Math.hypot(...row(points, i));
    const inliers = Math.max(...Array.from({ length: 4995 }, (_, i) => norm(i)));
    assert.ok(outliers.every((i) => norm(i) > 5 * inliers));
    const size = (c: number) => labels.filter((label) => label === c).length;
    // Expected 1390 and 139 of 5000 rows by 1/rank over 20 clusters; sd < 32.
    assert.ok(Math.abs(size(0) - 1390) < 160 && Math.abs(size(9) - 139) < 80, `${size(0)} ${size(9)}`);
  });

  it('refuses options out of range', () => {
    for (const options of [
      { clusters: 0 },
      { rows: 5 },
      { cols: 0 },
      { outliers: 1 },
      { spread: -1 },
      { lambda: -1 },
    ]) {
      assert.throws(() => gaussianMixture(options), { code: 'INVALID_ARGUMENT' });
    }
  });
});

describe('gasSensorRegression', () => {
  it('has standardised columns, an intercept and heavy rows', () => {
    const { features, targets } = gasSensorRegression({ rows: 3000, cols: 20, seed: 1 });
    const { data, rows, cols } = features;
    assert.deepEqual([rows, cols, targets.length], [3000, 21, 3000]);
    for (let j = 0; j < cols; j++) {
      let [mean, square] = [0, 0];
      for (let i = 0; i < rows; i++) {
        mean += data[i * cols + j] / rows;
        square += data[i * cols + j] ** 2 / rows;
      }
      const [wantedMean, wantedSquare] = j === 20 ? [1, 1] : [0, 1];
      // float32 rounding of 3000 values of size 1: errors of a few 2⁻²⁴ on average.
      assert.ok(Math.abs(mean - wantedMean) < 1e-6 && Math.abs(square - wantedSquare) < 1e-6, `column ${j}`);
    }
    const norms = Array.from({ length: rows }, (_, i) => Math.hypot(...row(features, i)));
    const sorted = norms.toSorted((a, b) => a - b);
    assert.ok(sorted[rows - 10] > 2 * sorted[rows / 2], 'the heaviest rows are well above the median');
  });

  it('can be regressed: the targets are log-doses', () => {
    const { targets } = gasSensorRegression({ rows: 4000, cols: 3 });
    const square = targets.reduce((sum, t) => sum + t * t, 0) / targets.length;
    // Variance 1 + 0.01 with relative standard error √(2/4000) = 2.2 %: five of them.
    assert.ok(Math.abs(square - 1.01) < 0.113, `${square}`);
  });

  it('refuses options out of range', () => {
    assert.throws(() => gasSensorRegression({ rows: 1 }), { code: 'INVALID_ARGUMENT' });
    assert.throws(() => gasSensorRegression({ cols: 0 }), { code: 'INVALID_ARGUMENT' });
  });
});
