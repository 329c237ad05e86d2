// `nearest` on tasks big enough for the screen of byte products (native/screen.cc), at the edges of its blocks and where bytes say little
// or mislead. Every backend runs them: the contract is one.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { allKernels } from '../../test/each-backend.ts';
import { checkNearest, concatenate, gauss, type NearestCase, normals } from '../../test/nearest-oracle.ts';
import { createRng } from '../core/rng.ts';

for (const { name, kernels } of await allKernels()) {
  const check = (task: NearestCase) => checkNearest(kernels, task);

  describe(`nearest on larger tasks, ${name}`, () => {
    it('is right at every edge of panels, strips and blocks', async () => {
      for (const centerCount of [15, 16, 17, 47, 48, 49, 96, 97, 480, 481, 961])
        await check(gauss(33, 9, centerCount));
      for (const rows of [31, 32, 40, 95, 97, 193]) await check(gauss(rows, 12, 50));
      for (const dim of [7, 8, 10, 15, 16, 17, 31, 33, 130]) await check(gauss(35, dim, 40));
    });

    it('holds the largest sums of byte products', async () => {
      for (const dim of [8192, 8193]) {
        // All coordinates at their line's maximum: every byte is ±127.
        const rng = createRng(dim);
        const signs = (length: number) => Float32Array.from({ length }, () => 1 - 2 * rng.integer(2));
        const centers = signs(18 * dim)
          .fill(1, 0, dim)
          .fill(-1, dim, 2 * dim);
        const points = signs(32 * dim)
          .fill(1, 0, dim)
          .fill(-1, dim, 2 * dim);
        await check({ points, rows: 32, dim, centers, centerCount: 18, origin: new Float32Array(dim) });
      }
    });

    it('gives ties to the lowest index', async () => {
      const rng = createRng(4);
      const integers = (length: number) => Float32Array.from({ length }, () => rng.integer(3));
      await check({
        points: integers(100 * 9),
        rows: 100,
        dim: 9,
        centers: integers(90 * 9),
        centerCount: 90,
      });
      const { points, rows, dim, centers, centerCount } = gauss(40, 16, 60);
      const twice = concatenate([centers, centers]);
      await check({ points, rows, dim, centers: twice, centerCount: 2 * centerCount });
      // The bar of a second is made from lanes: the two nearest share one, 16 apart.
      const apart = concatenate([centers.subarray(0, 16 * dim), centers]);
      await check({ points, rows, dim, centers: apart, centerCount: centerCount + 16 });
    });

    it('is right where rounding rows to bytes favours the farther center as much as it can', async () => {
      for (const size of [1, 3, 10]) await check(misleadingRows(size));
    });

    it('is right where rounding centers to bytes favours the farther one as much as it can', async () => {
      for (const size of [1, 3, 10]) await check(misleadingCenters(size));
    });

    it('counts the rounding of norms where bytes lose nothing', async () => {
      for (let seed = 0; seed < 12; seed++) await check(exactBytes(seed));
    });

    it('is right where one coordinate hides the others from bytes', async () => {
      for (const spike of [10, 100, 1e4, 1e7]) {
        const task = gauss(300, 24, 100);
        for (const values of [task.points, task.centers])
          for (let at = 0; at < values.length; at += 24) values[at] *= spike;
        await check(task);
      }
    });

    it('is right where more centers are in question than are kept', async () => {
      // A ball of centers far from every row: bytes of rows cannot tell them apart.
      const task = gauss(200, 16, 500);
      await check({ ...task, centers: task.centers.map((x) => 1e-3 * x), origin: new Float32Array(16) });
      // Rows of both kinds: half are settled by bytes, half are not.
      const centers = task.centers.map((x, at) => (at < 250 * 16 ? x : 5 + 1e-3 * x));
      const points = task.points.map((x, at) => (at % 32 < 16 ? x : 5 + x));
      await check({ ...task, points, centers });
    });

    it('is right for rows and centers that bytes cannot hold', async () => {
      const task = gauss(64, 10, 50);
      const { points } = task;
      points[3] = NaN;
      points[14] = Infinity;
      points[29] = -Infinity;
      points.fill(1e30, 40, 50).fill(3e38, 50, 60).fill(0, 60, 70).fill(1e-42, 70, 80).fill(-1e14, 80, 90);
      await check(task);
      for (const value of [NaN, Infinity, 3e38, 1e14, 1e6]) {
        const centers = task.centers.slice();
        centers[7 * 10 + 3] = value;
        await check({ ...task, centers });
      }
    });

    it('is right at any scale and offset', async () => {
      const { points, centers, ...sizes } = gauss(40, 12, 30);
      for (const scale of [1e-42, 1e-30, 1e-20, 1e-11, 1e-3, 1e9, 1e13, 1e17, 1e25, 3e38])
        await check({
          ...sizes,
          points: points.map((x) => x * scale),
          centers: centers.map((x) => x * scale),
        });
      const shifted = (values: Float32Array) => values.map((x) => 4096 + 0.005 * x);
      const task = { ...sizes, points: shifted(points), centers: shifted(centers) };
      await check(task);
      await check({ ...task, origin: new Float32Array(12) });
    });

    it('is right on any data', async () => {
      const sizes = fc.record({
        rows: fc.integer({ min: 32, max: 60 }),
        dim: fc.integer({ min: 8, max: 20 }),
        centerCount: fc.integer({ min: 16, max: 60 }),
      });
      const value = fc.oneof(
        fc.float({ noNaN: true, min: -1000, max: 1000 }),
        fc.integer({ min: -2, max: 2 }).map(Number),
      );
      const property = fc.asyncProperty(
        sizes,
        fc.array(value, { minLength: 1, maxLength: 200 }),
        async (s, pool) => {
          const pick = (length: number, step: number) =>
            Float32Array.from({ length }, (_, i) => pool[(i * step) % pool.length]);
          await check({ ...s, points: pick(s.rows * s.dim, 7), centers: pick(s.centerCount * s.dim, 3) });
        },
      );
      await fc.assert(property, { seed: 1, numRuns: 25 });
    });

    it('is right where several threads share the work, and some of it is left to float32', async () => {
      const task = gauss(1200, 24, 200);
      for (let i = 0; i < 1200; i += 7) task.points[i * 24] = 1e4;
      await check(task);
    });

    it('asks float32 only where bytes do not settle it', async () => {
      if (kernels.simd !== 'avx512vnni') return;
      const undecided = async (task: NearestCase) => {
        const { rows } = task;
        const rescanned = new BigUint64Array(1);
        const outputs = { labels: new Uint32Array(rows), distances: new Float64Array(rows) };
        await kernels.nearest({ ...task, ...outputs, rescanned });
        return rescanned[0];
      };
      // Every center twice: float32 can decide no row. Bytes leave the few candidates there are.
      const { centers, ...task } = gauss(500, 64, 200);
      const twice = { ...task, centers: concatenate([centers, centers]), centerCount: 400 };
      assert.equal(await undecided(twice), 0n);
      // All centers in one place: all are candidates.
      assert.equal(await undecided({ ...task, centers: new Float32Array(200 * 64) }), 500n);
    });
  });
}

// Bytes take coordinates 10.495 for 10 and 10.505 for 11 where another coordinate, 127, sets the scale to 1. The first center lies along
// coordinates of the one kind, the second along the other, so Cauchy-Schwarz leaves the bound only a factor √2 of slack for the two.
function misleadingRows(size: number): NearestCase {
  const [half, rows, centerCount] = [32, 40, 20];
  const dim = 1 + 2 * half;
  const point = Float32Array.from({ length: dim }, (_, p) => (p === 0 ? 127 : p <= half ? 10.495 : 10.505));
  const centers = smallCenters(dim, centerCount, size);
  centers.fill(0, 5 * dim, 7 * dim);
  centers.fill(size, 6 * dim + 1, 6 * dim + 1 + half); // the nearer by a hair, thanks to its coordinate 0
  centers[6 * dim] = size / 127;
  centers.fill(size, 5 * dim + 1 + half, 6 * dim);
  const points = concatenate(Array(rows).fill(point));
  return { points, rows, dim, centers, centerCount, origin: new Float32Array(dim) };
}

// The same with the roles of rows and centers exchanged; rows are exact in bytes.
function misleadingCenters(size: number): NearestCase {
  const [rows, dim, centerCount] = [40, 65, 20];
  const point = new Float32Array(dim).fill(size, 1);
  const centers = smallCenters(dim, centerCount, size);
  for (let p = 1; p < dim; p++) {
    centers[5 * dim + p] = 10.505e-3 * size;
    centers[6 * dim + p] = 10.495e-3 * size;
  }
  centers[6 * dim + 1] = 12e-3 * size; // the nearer by a hair
  centers[5 * dim] = 127e-3 * size;
  centers[6 * dim] = 127e-3 * size;
  const points = concatenate(Array(rows).fill(point));
  return { points, rows, dim, centers, centerCount, origin: new Float32Array(dim) };
}

// Two centers at exactly the same distance, integers throughout and exact in bytes, whose half squared norms of about 10⁹ float32 rounds.
// Small rows, so that nothing but the rounding of norms is in the bound.
function exactBytes(seed: number): NearestCase {
  const [rows, dim, centerCount, step] = [33, 64, 16, 101];
  const rng = createRng(seed);
  const point = new Float32Array(dim);
  point.set([127, 51, -50]);
  const centers = Float32Array.from(
    { length: centerCount * dim },
    () => 127 * step * (1 - 2 * rng.integer(2)),
  );
  const nearer = Float32Array.from({ length: dim }, (_, p) =>
    p === 3 ? 127 : p < 3 ? 40 : rng.integer(100),
  );
  centers.set(
    nearer.map((x) => step * x),
    4 * dim,
  );
  // One more along coordinate 1 and one less along 2: squared norms differ by 2 · 101², twice the products with the point as well.
  nearer[1]++;
  nearer[2]--;
  centers.set(
    nearer.map((x) => step * x),
    9 * dim,
  );
  const points = concatenate(Array(rows).fill(point));
  return { points, rows, dim, centers, centerCount, origin: new Float32Array(dim) };
}

/** Centers near the origin, whose scores are small beside those of the two in question; so are their margins. */
function smallCenters(dim: number, centerCount: number, size: number): Float32Array {
  return normals(dim * centerCount, 3).map((x) => 1e-4 * size * x);
}
