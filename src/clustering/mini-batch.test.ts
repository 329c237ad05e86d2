import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { matrixSource } from '../core/matrix.ts';
import { gaussianMixture } from '../data/datasets/index.ts';
import { kMeans } from './k-means.ts';
import { miniBatchKMeans } from './mini-batch.ts';
import { oracleAssign } from './oracle.ts';

const { points } = gaussianMixture({ rows: 6000, cols: 6, clusters: 15, spread: 2, seed: 8 });

describe('miniBatchKMeans', () => {
  it('comes within 10 % of Lloyd, and ends with an exact assignment', async () => {
    const full = await kMeans(points, { k: 15, seed: 1 });
    const { inertia, labels, centers, counts, history } = await miniBatchKMeans(points, { k: 15, seed: 1 });
    assert.ok(inertia <= 1.1 * full.inertia, `${inertia} against ${full.inertia}`);
    assert.deepEqual([...labels], oracleAssign(points, centers.data).labels);
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      6000,
    );
    assert.ok(history.every(({ scanned }) => scanned === 1024));
  });

  it('improves on its start', async () => {
    const options = { k: 15, seed: 2, init: 'random' as const };
    const once = await miniBatchKMeans(points, { ...options, maxEpochs: 0.01 });
    const often = await miniBatchKMeans(points, options);
    assert.equal(once.iterations, 1);
    assert.ok(often.inertia < once.inertia);
  });

  it('makes one Lloyd step of the first batch, when that is all rows', async () => {
    const small = gaussianMixture({ rows: 300, cols: 3, clusters: 4, seed: 2 }).points;
    const init = { data: small.data.slice(0, 12), rows: 4, cols: 3 };
    const { centers } = await miniBatchKMeans(small, { k: 4, init, maxEpochs: 1 });
    const { labels } = oracleAssign(small, init.data);
    for (let j = 0; j < 4; j++) {
      const members = labels.flatMap((label, i) => (label === j ? [i] : []));
      for (let p = 0; p < 3; p++) {
        const mean = members.reduce((sum, i) => sum + small.data[3 * i + p], 0) / members.length;
        assert.ok(Math.abs(centers.data[3 * j + p] - mean) <= 2 ** -22 * Math.max(1, Math.abs(mean)));
      }
    }
  });

  it('gives the same for a source as for a matrix, with weights and on the sphere', async () => {
    const weights = Float64Array.from({ length: 6000 }, (_, i) => i % 3);
    for (const spherical of [false, true]) {
      const options = { k: 6, seed: 3, weights, spherical, trainRowsPerCenter: 400, maxEpochs: 2 };
      const expected = await miniBatchKMeans(points, options);
      assert.deepEqual(await miniBatchKMeans(matrixSource(points), options), expected);
      assert.equal(expected.events[0].type, 'trained-on-sample');
    }
  });

  it('re-seeds centers that no row came to', async () => {
    const init = { data: new Float32Array(4 * 6).fill(1e4), rows: 4, cols: 6 };
    init.data.fill(0, 0, 6);
    const { events, counts } = await miniBatchKMeans(points, { k: 4, init, seed: 3 });
    assert.deepEqual(
      events
        .filter(({ type }) => type === 'empty-cluster')
        .map((event) => 'cluster' in event && event.cluster),
      [1, 2, 3],
    );
    assert.ok(counts.every((count) => count > 0));
  });

  it('refuses bad options and rows', async () => {
    const invalid = (message: RegExp) => ({ code: 'INVALID_ARGUMENT', message });
    await assert.rejects(miniBatchKMeans(points, { k: 0 }), invalid(/k is 0/));
    await assert.rejects(miniBatchKMeans(points, { k: 2, batchSize: 0 }), invalid(/batchSize is 0/));
    await assert.rejects(miniBatchKMeans(points, { k: 2, maxEpochs: 0 }), invalid(/maxEpochs is 0/));
    await assert.rejects(miniBatchKMeans(points, { k: 2, patience: 0 }), invalid(/patience is 0/));
    const data = points.data.slice();
    data[6 * 5000] = Number.NaN;
    await assert.rejects(miniBatchKMeans({ ...points, data }, { k: 2 }), invalid(/row 5000, column 0/));
    const signal = AbortSignal.abort(new Error('enough'));
    await assert.rejects(miniBatchKMeans(points, { k: 2, signal }), /enough/);
  });
});
