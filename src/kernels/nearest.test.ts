import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { allKernels } from '../../test/each-backend.ts';
import { checkNearest, concatenate, gauss, type NearestCase, normals } from '../../test/nearest-oracle.ts';
import { createRng } from '../core/rng.ts';

// Offset 4096, spread 0.005: an expansion in float32 without centring gets nothing right.
function bigOffset(): NearestCase {
  const [rows, dim, centerCount] = [60, 24, 40];
  const shifted = (values: Float32Array) => values.map((x) => 4096 + 0.005 * x);
  return {
    points: shifted(normals(rows * dim, 1)),
    rows,
    dim,
    centers: shifted(normals(centerCount * dim, 2)),
    centerCount,
  };
}

// Small integers: many exact ties, and every distance exact.
function lattice(seed: number): NearestCase {
  const [rows, dim, centerCount] = [80, 3, 64];
  const rng = createRng(seed);
  const integers = (length: number) => Float32Array.from({ length }, () => rng.integer(4));
  return { points: integers(rows * dim), rows, dim, centers: integers(centerCount * dim), centerCount };
}

for (const { name, kernels } of await allKernels()) {
  const check = (task: NearestCase) => checkNearest(kernels, task);

  describe(`nearest, ${name}`, () => {
    it('is right at every edge of its tiles', async () => {
      for (const rows of [0, 1, 3, 5, 6, 7, 8, 9, 17, 30])
        for (const centerCount of [1, 2, 6, 7, 8, 15, 16, 17, 47, 48, 49, 100])
          await check(gauss(rows, 11, centerCount));
      for (const dim of [0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 31, 33, 1023, 1025, 2100])
        await check(gauss(19, dim, 20));
    });

    it('is right for few rows and many centers, ties, far, tiny and huge ones among them', async () => {
      for (const rows of [1, 5])
        for (const dim of [16, 48, 64])
          for (const centerCount of [7, 16, 33, 200]) {
            const task = gauss(rows, dim, centerCount);
            await check(task);
            for (const factor of [1e-23, 1e-19, 1e19, 3e37])
              await check({
                ...task,
                points: task.points.map((x) => factor * x),
                centers: task.centers.map((x, i) => (i % 5 ? factor * x : x)),
              });
            // All alike, and all but one coordinate of one entry.
            const alike = concatenate(Array(centerCount).fill(task.points.subarray(0, dim)));
            await check({ ...task, centers: alike });
            await check({ ...task, centers: alike.map((x, i) => x * (1 + (i === dim + 3 ? 2 ** -22 : 0))) });
            await check({ ...task, centers: task.centers.map((x, i) => (i === 3 * dim ? Number.NaN : x)) });
          }
    });

    it('gives ties to the lowest index', async () => {
      for (let seed = 0; seed < 10; seed++) await check(lattice(seed));
      const { points, rows, dim } = gauss(40, 9, 1);
      // Every center is a duplicate of another, or all are one.
      const centers = normals(30 * dim, 5);
      const twice = new Float32Array(60 * dim);
      twice.set(centers);
      twice.set(centers, centers.length);
      await check({ points, rows, dim, centers: twice, centerCount: 60 });
      await check({ points, rows, dim, centers: new Float32Array(50 * dim), centerCount: 50 });
    });

    it('loses no digits to a big common offset, with or without an origin', async () => {
      const task = bigOffset();
      await check(task);
      await check({ ...task, origin: new Float32Array(task.dim).fill(4096) });
      await check({ ...task, origin: new Float32Array(task.dim) });
    });

    it('counts the rounding of centers far from the origin', async () => {
      const rng = createRng(1);
      const [rows, centerCount] = [6, 40];
      for (let dim = 300; dim < 320; dim++) {
        // Integers: centers 1, 2, … lie at exactly the same distance √dim, so only rounding tells their scores apart.
        const point = Float32Array.from({ length: dim }, () => 2000 - rng.integer(4000));
        const near = () => point.map((x) => x + 1 - 2 * rng.integer(2));
        // The first lies at the origin: a bound made from its norm would be too small for the others.
        const centers = [new Float32Array(dim), ...Array.from({ length: centerCount - 1 }, near)];
        await check({
          points: concatenate(Array(rows).fill(point)),
          rows,
          dim,
          centers: concatenate(centers),
          centerCount,
          origin: new Float32Array(dim),
        });
      }
    });

    it('is right beside a far center, at tiny and at huge scales', async () => {
      const far = gauss(50, 16, 40);
      far.centers.fill(1e6, 7 * 16, 8 * 16);
      await check(far);
      for (const scale of [1e-42, 1e-30, 1e-20, 1e15, 1e25, 3e38]) {
        const { points, centers, ...sizes } = gauss(30, 9, 20);
        const scaled = (values: Float32Array) => values.map((x) => Math.fround(x * scale));
        await check({ ...sizes, points: scaled(points), centers: scaled(centers) });
      }
    });

    it('is right where one score overflows float32 and the distances do not', async () => {
      // 1.72e19 · 2.4e19 is infinite in float32, half of 2.4e19 squared is not: the score of the farther center is ∞.
      const centers = Float32Array.of(2.4e19, 1.9e19, 0, 1, -1, 2, -2, 3);
      const points = new Float32Array(8).fill(1.72e19);
      await check({ points, rows: 8, dim: 1, centers, centerCount: 8, origin: new Float32Array(1) });
    });

    it('treats a NaN distance as infinite', async () => {
      const task = gauss(30, 9, 20);
      task.points[4 * 9 + 2] = NaN;
      task.points[8 * 9] = Infinity;
      task.centers[3 * 9 + 1] = NaN;
      task.centers[5 * 9 + 8] = -Infinity;
      await check(task);
      await check({ ...task, centers: new Float32Array(20 * 9).fill(NaN) });
    });

    it('is right on any data', async () => {
      const sizes = fc.record({
        rows: fc.integer({ min: 0, max: 25 }),
        dim: fc.integer({ min: 0, max: 20 }),
        centerCount: fc.integer({ min: 1, max: 30 }),
      });
      const value = fc.oneof(fc.float({ noNaN: true }), fc.integer({ min: -2, max: 2 }).map(Number));
      const property = fc.asyncProperty(
        sizes,
        fc.array(value, { minLength: 1, maxLength: 40 }),
        async (s, pool) => {
          const pick = (length: number, step: number) =>
            Float32Array.from({ length }, (_, i) => pool[(i * step) % pool.length]);
          await check({ ...s, points: pick(s.rows * s.dim, 7), centers: pick(s.centerCount * s.dim, 3) });
        },
      );
      await fc.assert(property, { seed: 1, numRuns: 60 });
    });

    it('is right where several threads and blocks share the work', async () => {
      await check(gauss(1500, 40, 300));
    });

    it('rescans few rows of ordinary data', async () => {
      if (kernels.backend === 'ts' || kernels.simd === 'scalar') return; // they compare every pair directly
      const { rows, ...task } = gauss(2000, 64, 100);
      const rescanned = new BigUint64Array(1);
      await kernels.nearest({
        ...task,
        rows,
        labels: new Uint32Array(rows),
        distances: new Float64Array(rows),
        rescanned,
      });
      // The gap of the two best of 100 scores of deviation 8 is about 2; twice the bound of 64 terms is about 0.002.
      assert.ok(rescanned[0] < 20n, `${rescanned[0]} of ${rows} rows`);
    });
  });
}
