import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Matrix32, matrixSource } from '../core/matrix.ts';
import { createRng } from '../core/rng.ts';
import { gaussianMixture } from '../data/datasets/index.ts';
import { kMeans } from './k-means.ts';
import { roundToMedoids } from './medoids.ts';

describe('roundToMedoids', () => {
  it('takes the nearest member, ties to the lowest id', async () => {
    const points = { data: Float32Array.of(0, 2, 4, 10, 12), rows: 5, cols: 1 };
    const labels = Uint32Array.of(0, 0, 0, 1, 1);
    const centers = { data: Float32Array.of(1, 11), rows: 2, cols: 1 };
    const { medoids, distances } = await roundToMedoids(points, { labels, centers });
    assert.deepEqual([...medoids], [0, 3]);
    assert.deepEqual([...distances], [0, 4, 16, 0, 4]);
  });

  it('costs at most twice the potential of the means', async () => {
    const property = fc.asyncProperty(
      fc.integer({ min: 0, max: 1e6 }),
      fc.integer({ min: 1, max: 6 }),
      fc.constantFrom(0, 1, 8),
      async (seed, k, spread) => {
        const rows = 20 + createRng(seed).integer(100);
        const { points } = gaussianMixture({ rows, cols: 3, clusters: 4, spread, seed });
        // Until no label changes, so that the centers are the means of their members.
        const clustering = await kMeans(points, { k, seed, tolerance: 0, maxIterations: 1000 });
        const { medoids, distances } = await roundToMedoids(points, clustering);
        const potential = new Float64Array(k);
        const ofMeans = new Float64Array(k);
        clustering.labels.forEach((label, i) => {
          potential[label] += distances[i];
          ofMeans[label] += clustering.distances[i];
        });
        medoids.forEach((row, j) => {
          assert.equal(clustering.labels[row], j);
          assert.equal(distances[row], 0);
          // Centers are means rounded to float32, off by 2⁻²⁴ of ‖c‖ < 50.
          assert.ok(potential[j] <= 2 * ofMeans[j] + 1e-3, `${potential[j]} > 2 · ${ofMeans[j]}`);
        });
      },
    );
    await fc.assert(property, { seed: 1, numRuns: 60 });
  });

  it('gives the same for a source, and for directions', async () => {
    const { points } = gaussianMixture({ rows: 200, cols: 4, clusters: 5, spread: 2, seed: 3 });
    for (const spherical of [false, true]) {
      const { labels, centers } = await kMeans(points, { k: 5, spherical });
      const expected = await roundToMedoids(points, { labels, centers, spherical });
      assert.deepEqual(await roundToMedoids(matrixSource(points), { labels, centers, spherical }), expected);
    }
  });

  it('refuses what does not fit', async () => {
    const points: Matrix32 = { data: Float32Array.of(0, 1, Number.NaN), rows: 3, cols: 1 };
    const centers: Matrix32 = { data: Float32Array.of(0, 5), rows: 2, cols: 1 };
    const call = (labels: number[], with_ = centers) =>
      roundToMedoids(points, { labels: Uint32Array.from(labels), centers: with_ });
    await assert.rejects(call([0, 0]), { code: 'SHAPE' });
    await assert.rejects(call([0, 2, 0]), { code: 'INVALID_ARGUMENT', message: /labels\[1\] is 2/ });
    await assert.rejects(call([0, 1, 1]), { message: /NaN at row 2/ });
    const finite = { ...points, data: Float32Array.of(0, 1, 2) };
    const empty = roundToMedoids(finite, { labels: new Uint32Array(3), centers });
    await assert.rejects(empty, { message: /cluster 1 has no row/ });
  });
});
