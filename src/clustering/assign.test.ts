import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { matrixSource, takeRows } from '../core/matrix.ts';
import { gaussianMixture } from '../data/datasets/index.ts';
import { assignToCenters } from './assign.ts';
import { oracleAssign } from './oracle.ts';

const { points } = gaussianMixture({ rows: 300, cols: 7, clusters: 5, spread: 1, seed: 6 });
const centers = takeRows(points, [5, 100, 200, 5]);

describe('assignToCenters', () => {
  it('gives labels and distances of the oracle, ties to the lowest index', async () => {
    const expected = oracleAssign(points, centers.data);
    const { labels, distances } = await assignToCenters(points, centers);
    assert.deepEqual([...labels], expected.labels);
    assert.ok(!labels.includes(3), 'center 3 repeats center 0');
    distances.forEach((x, i) => {
      assert.ok(Math.abs(x - expected.distances[i]) <= 1e-14 * expected.distances[i]);
    });
    assert.deepEqual(await assignToCenters(matrixSource(points), centers), { labels, distances });
  });

  it('gives nothing for no rows', async () => {
    const none = { data: new Float32Array(0), rows: 0, cols: 7 };
    assert.equal((await assignToCenters(none, centers)).labels.length, 0);
  });

  it('refuses what does not fit', async () => {
    const noCenters = { data: new Float32Array(0), rows: 0, cols: 7 };
    await assert.rejects(assignToCenters(points, noCenters), { code: 'INVALID_ARGUMENT' });
    const narrow = { data: new Float32Array(6), rows: 1, cols: 6 };
    await assert.rejects(assignToCenters(points, narrow), { code: 'SHAPE', message: /7 columns, centers 6/ });
    const nanCenter = { data: new Float32Array(7).fill(Number.NaN), rows: 1, cols: 7 };
    await assert.rejects(assignToCenters(points, nanCenter), { message: /centers is NaN at row 0/ });
    const data = points.data.slice();
    data[7 * 250 + 3] = Number.NaN;
    const message = /assignToCenters: points is NaN at row 250, column 3/;
    await assert.rejects(assignToCenters({ ...points, data }, centers), { message });
    await assert.rejects(assignToCenters(matrixSource({ ...points, data }), centers), { message });
  });

  it('stops when cancelled', async () => {
    const reason = new Error('enough');
    await assert.rejects(assignToCenters(points, centers, { signal: AbortSignal.abort(reason) }), reason);
  });
});
