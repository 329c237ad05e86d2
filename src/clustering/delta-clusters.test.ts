import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Matrix32 } from '../core/matrix.ts';
import { createRng } from '../core/rng.ts';
import { plantedStream } from '../data/datasets/index.ts';
import { DeltaClusters } from './delta-clusters.ts';
import { oracleAssign } from './oracle.ts';

/** The rule by the book. */
function cluster({ data, rows, cols }: Matrix32, delta: number): { labels: number[]; heads: number[] } {
  const heads: number[] = [];
  const labels: number[] = [];
  for (let i = 0; i < rows; i++) {
    const point = { data: data.slice(i * cols, (i + 1) * cols), rows: 1, cols };
    const centers = Float32Array.from(heads.flatMap((h) => [...data.slice(h * cols, (h + 1) * cols)]));
    const found = heads.length > 0 ? oracleAssign(point, centers) : undefined;
    if (found && Math.sqrt(found.distances[0]) <= delta) labels.push(found.labels[0]);
    else labels.push(heads.push(i) - 1);
  }
  return { labels, heads };
}

/** Small integers: many ties and duplicates, all distances exact. */
function integerRows(seed: number, rows: number, cols: number, range: number): Matrix32 {
  const rng = createRng(seed);
  return { data: Float32Array.from({ length: rows * cols }, () => rng.integer(range)), rows, cols };
}

describe('DeltaClusters', () => {
  it('does what the book says, row by row and in batches', async () => {
    const property = fc.asyncProperty(
      fc.integer({ min: 0, max: 1e6 }),
      fc.constantFrom(0, 1, 2.5, 4, Infinity),
      fc.constantFrom(1, 3, 40),
      async (seed, delta, cols) => {
        const points = integerRows(seed, 300, cols, cols === 40 ? 2 : 6);
        const { labels, heads } = cluster(points, delta);
        const single = new DeltaClusters({ dim: cols, delta });
        const batch = new DeltaClusters({ dim: cols, delta });
        assert.deepEqual(
          labels.map((_, i) => single.add(points.data, i * cols)),
          labels,
        );
        assert.deepEqual([...(await batch.addAll(points))], labels);
        assert.deepEqual(batch.state(), single.state());
        const firsts = heads.flatMap((h) => [...points.data.slice(h * cols, (h + 1) * cols)]);
        assert.deepEqual([...single.state().representatives], firsts);
        assert.deepEqual(
          [...single.state().counts],
          heads.map((_, c) => labels.filter((l) => l === c).length),
        );
      },
    );
    await fc.assert(property, { seed: 1, numRuns: 20 });
  });

  it('finds exactly the planted clusters, however long the stream', async () => {
    const { keys, groups } = plantedStream({ rows: 4000, clusters: 16, dim: 32 });
    const clusters = new DeltaClusters({ dim: 32, delta: 1 });
    const labels = await clusters.addAll(keys);
    assert.equal(clusters.size, 16);
    const group = new Map([...labels].map((label, i) => [label, groups[i]]));
    assert.ok(labels.every((label, i) => group.get(label) === groups[i]));
  });

  it('tells close rows of large norm apart', () => {
    // ‖x‖² + ‖y‖² − 2⟨x, y⟩ in float32 would give 0 or 2²⁴ here; the truth is 1/4.
    const clusters = new DeltaClusters({ dim: 2, delta: 0.2 });
    clusters.add(Float32Array.of(1e4, 2 ** 21));
    assert.equal(clusters.add(Float32Array.of(1e4, 2 ** 21 + 0.25)), 1);
    assert.equal(clusters.add(Float32Array.of(1e4, 2 ** 21)), 0);
  });

  it('goes on from a copy or a saved state as if it were one run', () => {
    const points = integerRows(3, 200, 2, 20);
    const whole = new DeltaClusters({ dim: 2, delta: 3 });
    const first = new DeltaClusters({ dim: 2, delta: 3 });
    for (let i = 0; i < 200; i++) whole.add(points.data, 2 * i);
    for (let i = 0; i < 100; i++) first.add(points.data, 2 * i);
    const before = first.state();
    const copy = first.copy();
    const restored = DeltaClusters.restore(structuredClone(before));
    for (let i = 100; i < 200; i++) for (const c of [copy, restored]) c.add(points.data, 2 * i);
    assert.deepEqual(copy.state(), whole.state());
    assert.deepEqual(restored.state(), whole.state());
    assert.deepEqual(first.state(), before);
    assert.equal(first.bytes, first.representatives.byteLength + first.counts.byteLength);
  });

  it('refuses bad options and arrays, and can be cancelled', async () => {
    assert.throws(() => new DeltaClusters({ dim: 2, delta: -1 }), { message: /delta is -1/ });
    assert.throws(() => new DeltaClusters({ dim: 2, delta: Number.NaN }), { code: 'INVALID_ARGUMENT' });
    assert.throws(() => new DeltaClusters({ dim: 0, delta: 1 }), { message: /dim is 0/ });
    const clusters = new DeltaClusters({ dim: 2, delta: 1 });
    const short = { data: new Float32Array(3), rows: 2, cols: 2 };
    await assert.rejects(clusters.addAll(short), { code: 'SHAPE', message: /length 3; expected 4/ });
    const signal = AbortSignal.abort(new Error('enough'));
    await assert.rejects(clusters.addAll(integerRows(1, 4, 2, 2), { signal }), /enough/);
    assert.throws(() => DeltaClusters.restore({ ...clusters.state(), counts: new Float64Array(2) }), {
      code: 'SHAPE',
    });
  });
});
