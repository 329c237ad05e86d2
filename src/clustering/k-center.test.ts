import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Matrix32, matrixSource, takeRows } from '../core/matrix.ts';
import { createRng } from '../core/rng.ts';
import { gaussianMixture } from '../data/datasets/index.ts';
import { kCenterGreedy } from './k-center.ts';
import { oracleAssign, oracleOptimalRadius } from './oracle.ts';

/** Farthest-first traversal by the book. */
function traverse(points: Matrix32, k: number, first: number): number[] {
  const chosen = [first];
  while (chosen.length < k) {
    const { distances } = oracleAssign(points, takeRows(points, chosen).data);
    const most = Math.max(...distances);
    if (most === 0) break;
    chosen.push(distances.indexOf(most));
  }
  return chosen;
}

describe('kCenterGreedy', () => {
  it('is at most twice the least radius, against brute force', async () => {
    const property = fc.asyncProperty(
      fc.integer({ min: 0, max: 1e6 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 4, max: 12 }),
      async (seed, k, rows) => {
        const rng = createRng(seed);
        const data = Float32Array.from({ length: 2 * rows }, () => rng.integer(30));
        const points = { data, rows, cols: 2 };
        const { radius, distances, labels, indices } = await kCenterGreedy(points, { k, seed });
        assert.ok(radius <= 2 * oracleOptimalRadius(points, k) * (1 + 1e-12));
        assert.equal(radius, Math.sqrt(Math.max(...distances)));
        const exact = oracleAssign(points, takeRows(points, indices).data);
        assert.deepEqual([...labels], exact.labels);
        assert.deepEqual([...distances], exact.distances);
      },
    );
    await fc.assert(property, { seed: 1, numRuns: 200 });
  });

  it('chooses as the book does', async () => {
    const property = fc.asyncProperty(fc.integer({ min: 0, max: 1e6 }), async (seed) => {
      const rng = createRng(seed);
      const data = Float32Array.from({ length: 120 }, () => (seed % 2 ? rng.normal() : rng.integer(7)));
      const points = { data, rows: 40, cols: 3 };
      const { indices, gaps, gapCenters } = await kCenterGreedy(points, { k: 12, first: seed % 40 });
      assert.deepEqual([...indices], traverse(points, 12, seed % 40));
      assert.deepEqual([gaps[0], gapCenters[0]], [Infinity, 0]);
      for (let c = 1; c < indices.length; c++) {
        const before = takeRows(points, indices.subarray(0, c)).data;
        const { labels, distances } = oracleAssign(takeRows(points, indices.subarray(c, c + 1)), before);
        assert.equal(gapCenters[c], labels[0]);
        // Three squares in another order: a few roundings of a positive sum.
        assert.ok(Math.abs(gaps[c] - distances[0]) <= 4 * Number.EPSILON * distances[0]);
      }
    });
    await fc.assert(property, { seed: 3, numRuns: 50 });
  });

  it('chooses as the book does when most rows lie outside the front it looks at', async () => {
    // 9000 rows, of which 282 are looked at between passes; small integers make many ties.
    const rng = createRng(4);
    const points = {
      data: Float32Array.from({ length: 18_000 }, () => rng.integer(60)),
      rows: 9000,
      cols: 2,
    };
    const { indices } = await kCenterGreedy(points, { k: 25, first: 17 });
    assert.deepEqual([...indices], traverse(points, 25, 17));
    assert.deepEqual((await kCenterGreedy(matrixSource(points), { k: 25, first: 17 })).indices, indices);
  });

  it('ends when every row is a center', async () => {
    const points = { data: Float32Array.of(1, 1, 2, 2, 5), rows: 5, cols: 1 };
    const { indices, radius } = await kCenterGreedy(points, { k: 5, first: 0 });
    assert.deepEqual([...indices], [0, 4, 2]);
    assert.equal(radius, 0);
    assert.equal((await kCenterGreedy(points, { k: 1 })).indices.length, 1);
  });

  it('has a radius that never grows with k', async () => {
    const { points } = gaussianMixture({ rows: 200, cols: 3, clusters: 5 });
    let last = Infinity;
    for (let k = 1; k < 30; k++) {
      const { radius } = await kCenterGreedy(points, { k, first: 3 });
      assert.ok(radius <= last);
      last = radius;
    }
  });

  it('refuses bad options and rows', async () => {
    const points = { data: Float32Array.of(1, Infinity), rows: 2, cols: 1 };
    await assert.rejects(kCenterGreedy(points, { k: 1 }), { code: 'INVALID_ARGUMENT', message: /row 1/ });
    await assert.rejects(kCenterGreedy(points, { k: 0 }), { message: /k is 0/ });
    await assert.rejects(kCenterGreedy(points, { k: 1, first: 2 }), { message: /first is 2/ });
    const none = { data: new Float32Array(0), rows: 0, cols: 1 };
    await assert.rejects(kCenterGreedy(none, { k: 1 }), { message: /rows is 0/ });
    const signal = AbortSignal.abort(new Error('enough'));
    await assert.rejects(kCenterGreedy(points, { k: 1, signal }), /enough/);
  });
});
