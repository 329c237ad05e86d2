import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Matrix32 } from '../core/matrix.ts';
import { createRng, shuffle } from '../core/rng.ts';
import { gaussianMixture } from '../data/datasets/index.ts';
import { loadKernels } from '../kernels/index.ts';
import { type Assigner, type AssignerContext, LloydAssigner } from './assigner.ts';
import { AutoAssigner } from './auto-assigner.ts';
import { BoundedAssigner } from './bounded-assigner.ts';
import { MeanUpdate } from './center-update.ts';
import { centerShifts, iterate } from './iterate.ts';
import { measureMoments } from './moments.ts';
import { oracleLloyd } from './oracle.ts';
import { Rows } from './rows.ts';

const assigners: Record<string, (context: AssignerContext) => Assigner> = {
  lloyd: (context) => new LloydAssigner(context),
  auto: (context) => new AutoAssigner(context),
  hamerly: (context) => new BoundedAssigner(context, { algorithm: 'hamerly', groupCount: 1 }),
  yinyang: (context) =>
    new BoundedAssigner(context, { algorithm: 'yinyang', groupCount: Math.ceil(context.centerCount / 5) }),
  elkan: (context) => new BoundedAssigner(context, { algorithm: 'elkan', groupCount: context.centerCount }),
};

async function run(
  points: Matrix32,
  start: Float32Array,
  name: string,
  { tileRows, weights }: { tileRows?: number; weights?: Float64Array } = {},
) {
  const kernels = await loadKernels();
  const { cols } = points;
  const rows = new Rows('test', points, { tileRows });
  const { origin, scatter } = await measureMoments(rows, kernels, weights);
  const labels = new Uint32Array(points.rows);
  const centerCount = start.length / cols;
  const update = { kernels, centerCount, cols, weights, origin, scatter, spherical: false };
  const assigner = assigners[name]({
    kernels,
    cols,
    centerCount,
    tileRows: rows.tileRows,
    origin,
    labels,
  });
  const result = await iterate(rows, start, {
    assigner,
    update: new MeanUpdate(update),
    labels,
    weights,
    power: 2,
    maxIterations: 500,
    maxShift: 0,
  });
  return { ...result, labels };
}

function startRows(points: Matrix32, k: number, seed: number): Float32Array {
  const ids = shuffle(
    Array.from({ length: points.rows }, (_, i) => i),
    createRng(seed).fork('start'),
  ).slice(0, k);
  const start = new Float32Array(k * points.cols);
  ids.forEach((id, j) => {
    start.set(points.data.subarray(id * points.cols, (id + 1) * points.cols), j * points.cols);
  });
  return start;
}

describe('assigners', () => {
  // On a lattice sums and squares are exact, and many rows lie midway between centers; starts may repeat a center.
  for (const name of Object.keys(assigners)) {
    it(`${name}: labels of the oracle from 60 starts on an integer lattice, ties to the lowest index`, async () => {
      for (let seed = 0; seed < 60; seed++) {
        const rng = createRng(seed);
        const cols = 1 + rng.integer(3);
        const rows = 10 + rng.integer(60);
        const k = 1 + rng.integer(9);
        const data = Float32Array.from({ length: rows * cols }, () => rng.integer(5));
        const start = Float32Array.from({ length: k * cols }, () => rng.integer(5));
        const points = { data, rows, cols };
        const expected = oracleLloyd(points, start);
        const tileRows = 1 + rng.integer(rows);
        const actual = await run(points, start, name, { tileRows });
        assert.deepEqual([...actual.labels], expected.labels, `seed ${seed}`);
        assert.deepEqual(actual.centers, expected.centers, `seed ${seed}`);
        actual.history.forEach(({ inertia }, i) => {
          // The inertia from sums carries about 1e-15 of the total scatter, which is < 1e5 here.
          assert.ok(Math.abs(inertia - expected.inertias[i]) <= 1e-9, `seed ${seed}, iteration ${i}`);
        });
      }
    });
  }

  for (const name of ['auto', 'hamerly', 'yinyang', 'elkan']) {
    it(`${name}: the path of Lloyd from 20 starts on overlapping and separated mixtures`, async () => {
      let skipped = 0;
      for (let seed = 0; seed < 20; seed++) {
        const spread = seed % 2 === 0 ? 0.5 : 5;
        const { points } = gaussianMixture({ rows: 400, cols: 6, clusters: 12, spread, seed });
        const start = startRows(points, 20, seed);
        const expected = await run(points, start, 'lloyd', { tileRows: 128 });
        const actual = await run(points, start, name, { tileRows: 128 });
        assert.deepEqual(actual.labels, expected.labels, `seed ${seed}`);
        assert.deepEqual(actual.centers, expected.centers, `seed ${seed}`);
        assert.deepEqual(
          actual.history.map(({ changed, shift }) => ({ changed, shift })),
          expected.history.map(({ changed, shift }) => ({ changed, shift })),
        );
        skipped += expected.history.length * 400 - actual.history.reduce((sum, h) => sum + h.scanned, 0);
      }
      // Bounds that never settle a row would pass all the above.
      assert.ok(skipped > 20 * 400, `${skipped} rows skipped`);
    });
  }

  for (const name of ['hamerly', 'yinyang', 'elkan']) {
    it(`${name}: labels of Lloyd while single centers step about, onto ties and off them`, async () => {
      // Means hide mistakes: they move all at once and seldom tie. Here the bounds must hold for any movement.
      const kernels = await loadKernels();
      const bases = [[0.1, 0.7, 0.31, 0.9, 0.45], undefined];
      for (let seed = 0; seed < 150; seed++) {
        const rng = createRng(seed).fork('steps');
        const base = bases[seed % 2];
        const cols = base ? base.length : 1 + rng.integer(2);
        // A place of the lattice 0 … 4, or a permutation of one vector (distances that tie but for rounding).
        const place = () =>
          base ? shuffle([...base], rng) : Array.from({ length: cols }, () => rng.integer(5));
        const count = 40;
        const k = 2 + rng.integer(10);
        const data = Float32Array.from(Array.from({ length: count }, place).flat());
        const rows = new Rows('test', { data, rows: count, cols });
        const context = { kernels, cols, centerCount: k, tileRows: count, origin: new Float32Array(cols) };
        const labels = [new Uint32Array(count), new Uint32Array(count)];
        const plain = assigners.lloyd({ ...context, labels: labels[0] });
        const bounded = assigners[name]({ ...context, labels: labels[1] });
        let centers = Float32Array.from(Array.from({ length: k }, place).flat());
        let shifts: Float64Array | undefined;
        for (let step = 0; step < 12; step++) {
          for (const assigner of [plain, bounded]) {
            await assigner.begin(centers, shifts);
            for await (const tile of rows.tiles()) await assigner.assign(tile);
          }
          assert.deepEqual(labels[1], labels[0], `seed ${seed}, step ${step}`);
          const next = centers.slice();
          for (let j = 0; j < k; j++) if (rng.next() < 0.3) next.set(place(), j * cols);
          shifts = centerShifts(centers, next, cols);
          centers = next;
        }
      }
    });
  }

  it('yinyang: scans of single groups by the kernel give the path of Lloyd', async () => {
    const { points } = gaussianMixture({ rows: 4000, cols: 16, clusters: 60, spread: 1.5, seed: 5 });
    const start = startRows(points, 60, 5);
    const expected = await run(points, start, 'lloyd');
    const actual = await run(points, start, 'yinyang');
    assert.deepEqual(actual.labels, expected.labels);
    assert.deepEqual(actual.centers, expected.centers);
  });

  for (const name of ['hamerly', 'yinyang', 'elkan']) {
    it(`${name}: distances that differ by rounding alone are decided as by Lloyd`, async () => {
      // Rows and centers are permutations of few vectors: equal distances in truth, sums that differ in their last bits.
      for (let seed = 0; seed < 20; seed++) {
        const rng = createRng(seed).fork('permutations');
        const base = [0.1, 0.7, 0.31, 0.9, 0.45, 0.23, 0.61];
        const permuted = (count: number) =>
          Float32Array.from(Array.from({ length: count }, () => shuffle([...base], rng)).flat());
        const points = { data: permuted(80), rows: 80, cols: base.length };
        const start = permuted(12);
        const expected = await run(points, start, 'lloyd');
        assert.deepEqual((await run(points, start, name)).labels, expected.labels, `seed ${seed}`);
      }
    });
  }

  it('does not depend on the tiling', async () => {
    const { points } = gaussianMixture({ rows: 300, cols: 3, clusters: 6, spread: 2, seed: 9 });
    const start = startRows(points, 8, 9);
    for (const name of Object.keys(assigners)) {
      const expected = await run(points, start, name, { tileRows: 300 });
      for (const tileRows of [1, 7, 64]) {
        const actual = await run(points, start, name, { tileRows });
        assert.deepEqual(actual.labels, expected.labels);
        assert.deepEqual(actual.centers, expected.centers);
        assert.deepEqual(actual.distances, expected.distances);
      }
    }
  });
});
