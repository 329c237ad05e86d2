import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Matrix32, matrixSource, type RowSource, takeRows } from '../core/matrix.ts';
import { createRng, shuffle } from '../core/rng.ts';
import { gaussianMixture } from '../data/datasets/index.ts';
import { kMeans } from './k-means.ts';
import { KMEANS_ALGORITHMS, type KMeansOptions } from './options.ts';
import { oracleAssign, oracleLloyd, oracleOptimalInertia } from './oracle.ts';
import { SEEDING_METHODS } from './seeding/seed-centers.ts';

const mixture = gaussianMixture({ rows: 600, cols: 5, clusters: 8, spread: 3, seed: 1 }).points;

/** Small integers: sums, means of powers of two and squares are exact, so equalities below are of bits. */
function lattice(rows: number, cols: number, seed: number, values = 6): Matrix32 {
  const rng = createRng(seed).fork('lattice');
  return { data: Float32Array.from({ length: rows * cols }, () => rng.integer(values)), rows, cols };
}

function relativeGap(a: number, b: number): number {
  return Math.abs(a - b) / Math.max(Math.abs(b), Number.MIN_VALUE);
}

describe('kMeans', () => {
  it('finds separated clusters', async () => {
    const { points, labels } = gaussianMixture({ rows: 500, cols: 4, clusters: 6, spread: 30, seed: 4 });
    const result = await kMeans(points, { k: 6, seed: 2 });
    const pairs = new Set(Array.from(labels, (label, i) => `${label}-${result.labels[i]}`));
    assert.equal(pairs.size, 6, 'clusters and components match one to one');
    assert.equal(result.converged, true);
    assert.match(result.backend, /\w+ \w+/);
  });

  it('reaches the optimum of tiny problems, and never beats it', async () => {
    for (let seed = 0; seed < 12; seed++) {
      const points = lattice(9, 2, seed, 20);
      const k = 2 + (seed % 3);
      const { inertia } = await kMeans(points, { k, seed, restarts: 40, tolerance: 0 });
      assert.ok(relativeGap(inertia, oracleOptimalInertia(points, k)) < 1e-6, `seed ${seed}`);
    }
  });

  for (const algorithm of KMEANS_ALGORITHMS) {
    it(`${algorithm}: inertia never rises, and is that of the labels returned`, async () => {
      for (let seed = 0; seed < 10; seed++) {
        const result = await kMeans(mixture, { k: 12, seed, algorithm, init: 'random', tolerance: 0 });
        const { history, centers, labels, distances, inertia } = result;
        for (let i = 1; i < history.length; i++) {
          // Means rounded to float32 are off by at most 2⁻²⁴ ‖c‖, which costs n · 2⁻⁴⁸ ‖c‖² < 1e-9 here; sums cost 1e-13 of 1e5.
          assert.ok(history[i].inertia <= history[i - 1].inertia + 1e-8, `iteration ${i}`);
        }
        const exact = oracleAssign(mixture, centers.data);
        assert.deepEqual([...labels], exact.labels);
        const sum = exact.distances.reduce((total, x) => total + x, 0);
        assert.ok(relativeGap(inertia, sum) < 1e-12, `${inertia} against ${sum}`);
        assert.ok(relativeGap(history[history.length - 1].inertia, sum) < 1e-5);
        distances.forEach((x, i) => {
          assert.ok(Math.abs(x - exact.distances[i]) <= 1e-12 * exact.distances[i]);
        });
      }
    });
  }

  it('gives the same bits for the same seed, others for another', async () => {
    const [a, b, c] = await Promise.all([3, 3, 4].map((seed) => kMeans(mixture, { k: 9, seed })));
    assert.deepEqual(a, b);
    assert.notDeepEqual(a.centers, c.centers);
  });

  it('keeps the better of several restarts', async () => {
    const options: KMeansOptions = { k: 10, init: 'random', seed: 7 };
    const one = await kMeans(mixture, options);
    const many = await kMeans(mixture, { ...options, restarts: 8 });
    assert.ok(many.inertia < one.inertia);
  });

  it('leaves its input as it was', async () => {
    const points = { ...mixture, data: mixture.data.slice() };
    const init = takeRows(mixture, [0, 1, 2]);
    const weights = new Float64Array(600).fill(2);
    for (const spherical of [false, true]) await kMeans(points, { k: 3, init, weights, spherical });
    assert.deepEqual(points.data, mixture.data);
    assert.deepEqual(init, takeRows(mixture, [0, 1, 2]));
    assert.ok(weights.every((w) => w === 2));
  });

  it('counts a row of weight w as w equal rows', async () => {
    const property = fc.asyncProperty(
      fc.integer({ min: 0, max: 1e6 }),
      fc.integer({ min: 1, max: 5 }),
      async (seed, k) => {
        const rng = createRng(seed);
        const points = lattice(20, 2, seed);
        const weights = Float64Array.from({ length: 20 }, () => rng.integer(4));
        weights[0] = 1;
        const repeated = takeRows(points, Array.from(weights, (w, i) => new Array<number>(w).fill(i)).flat());
        const init = lattice(k, 2, seed + 1);
        const weighted = await kMeans(points, { k, init, weights, tolerance: 0 });
        const plain = await kMeans(repeated, { k, init, tolerance: 0 });
        assert.deepEqual(weighted.centers, plain.centers);
        assert.deepEqual(weighted.counts, plain.counts);
        assert.ok(Math.abs(weighted.inertia - plain.inertia) <= 1e-9);
      },
    );
    await fc.assert(property, { seed: 1, numRuns: 60 });
  });

  it('follows a permutation of the rows, and a scaling by a power of two', async () => {
    const points = lattice(64, 3, 5);
    const init = lattice(4, 3, 6);
    const plain = await kMeans(points, { k: 4, init, tolerance: 0 });
    const order = shuffle(
      Array.from({ length: 64 }, (_, i) => i),
      createRng(1),
    );
    const permuted = await kMeans(takeRows(points, order), { k: 4, init, tolerance: 0 });
    assert.deepEqual(permuted.centers, plain.centers);
    assert.deepEqual(
      [...permuted.labels],
      order.map((i) => plain.labels[i]),
    );
    const scale = (m: Matrix32) => ({ ...m, data: m.data.map((x) => 8 * x) });
    const scaled = await kMeans(scale(points), { k: 4, init: scale(init), tolerance: 0 });
    assert.deepEqual(scaled.labels, plain.labels);
    assert.equal(scaled.inertia, 64 * plain.inertia);
  });

  it('is not misled by a large common offset', async () => {
    // At 4096 a float32 expansion of squares of 0.005 has no correct digit left: inertia would come out negative.
    const rng = createRng(8);
    const data = Float32Array.from(
      { length: 400 * 4 },
      (_, i) => 4096 + (i % 8 < 4 ? 0 : 0.05) + 0.005 * rng.normal(),
    );
    const points = { data, rows: 400, cols: 4 };
    for (const algorithm of KMEANS_ALGORITHMS) {
      for (const init of SEEDING_METHODS) {
        const { labels, centers, inertia } = await kMeans(points, { k: 2, algorithm, init, seed: 3 });
        assert.ok(labels.every((label, i) => label === labels[i % 2]) && labels[0] !== labels[1]);
        const exact = oracleAssign(points, centers.data).distances.reduce((sum, x) => sum + x, 0);
        assert.ok(relativeGap(inertia, exact) < 1e-12);
      }
    }
    const init = takeRows(points, [0, 1, 2, 3, 5]);
    const { labels } = await kMeans(points, { k: 5, init, tolerance: 0 });
    assert.deepEqual([...labels], oracleLloyd(points, init.data).labels);
  });

  it('re-seeds an empty cluster at the row farthest from its center, and says so', async () => {
    const points = { data: Float32Array.of(0, 1, 2, 50), rows: 4, cols: 1 };
    const init = { data: Float32Array.of(1, 1000, 1001), rows: 3, cols: 1 };
    for (const algorithm of KMEANS_ALGORITHMS) {
      const { events, centers, counts } = await kMeans(points, { k: 3, init, algorithm });
      assert.deepEqual(events[0], { type: 'empty-cluster', iteration: 1, cluster: 1, row: 3 });
      assert.deepEqual(events[1], { type: 'empty-cluster', iteration: 1, cluster: 2, row: 0 });
      assert.equal(centers.rows, 3);
      assert.ok(counts.every((count) => count > 0));
    }
  });

  it('makes no more clusters than there are distinct rows', async () => {
    const points = { data: Float32Array.of(1, 2, 1, 2, 1, 5), rows: 6, cols: 1 };
    for (const init of SEEDING_METHODS) {
      for (const k of [4, 6, 9]) {
        const { centers, events, inertia, labels } = await kMeans(points, { k, init });
        assert.deepEqual([...centers.data].sort(), [1, 2, 5], `${init}, k = ${k}`);
        assert.deepEqual(events, [{ type: 'k-reduced', requested: k, actual: 3 }]);
        assert.equal(inertia, 0);
        assert.ok(labels.every((label, i) => centers.data[label] === points.data[i]));
      }
    }
    const init = { data: Float32Array.of(1, 1, 1, 1), rows: 4, cols: 1 };
    const given = await kMeans(points, { k: 4, init });
    assert.deepEqual([...given.centers.data].sort(), [1, 2, 5]);
  });

  it('treats −0 and 0 as one value', async () => {
    const points = { data: Float32Array.of(0, -0, 0), rows: 3, cols: 1 };
    assert.equal((await kMeans(points, { k: 3 })).centers.rows, 1);
  });

  it('accepts k = 1, k = n and n = 1', async () => {
    const one = await kMeans(mixture, { k: 1, tolerance: 0 });
    for (let p = 0; p < 5; p++) {
      let sum = 0;
      for (let i = 0; i < 600; i++) sum += mixture.data[i * 5 + p];
      assert.equal(one.centers.data[p], Math.fround(sum / 600));
    }
    const all = await kMeans(mixture, { k: 600 });
    assert.equal(all.inertia, 0);
    assert.equal(new Set(all.labels).size, 600);
    const single = await kMeans({ data: Float32Array.of(3, 4), rows: 1, cols: 2 }, { k: 1 });
    assert.deepEqual([...single.centers.data], [3, 4]);
    assert.deepEqual([...single.counts], [1]);
  });

  it('clusters directions', async () => {
    // Lengths say nothing here: two bundles of rays, each with rows of length 1 to 1000.
    const rng = createRng(3);
    const rays = (angle: number) =>
      Array.from({ length: 50 }, () => {
        const [a, r] = [angle + 0.1 * rng.normal(), 10 ** (3 * rng.next())];
        return [r * Math.cos(a), r * Math.sin(a)];
      }).flat();
    const points = { data: Float32Array.from([...rays(0.3), ...rays(1.4)]), rows: 100, cols: 2 };
    for (const algorithm of KMEANS_ALGORITHMS) {
      const { labels, centers, distances, history } = await kMeans(points, {
        k: 2,
        spherical: true,
        algorithm,
      });
      const wrong = labels.reduce((sum, label, i) => sum + Number(label !== labels[i < 50 ? 0 : 99]), 0);
      assert.ok(wrong <= 2 && labels[0] !== labels[99]);
      for (const j of [0, 1]) {
        assert.ok(Math.abs(Math.hypot(centers.data[2 * j], centers.data[2 * j + 1]) - 1) < 1e-6);
      }
      const [x, y] = points.data;
      const cosine =
        (x * centers.data[2 * labels[0]] + y * centers.data[2 * labels[0] + 1]) / Math.hypot(x, y);
      assert.ok(Math.abs(distances[0] - (2 - 2 * cosine)) < 1e-6);
      for (let i = 1; i < history.length; i++) {
        assert.ok(history[i].inertia <= history[i - 1].inertia + 1e-9);
      }
    }
  });

  it('moves medians, not means, when power is 1', async () => {
    // The outlier drags the mean of its cluster to 21, the median stays among the many.
    const points = { data: Float32Array.of(0, 1, 2, 3, 99, 1000, 1001, 1002), rows: 8, cols: 1 };
    const init = { data: Float32Array.of(10, 990), rows: 2, cols: 1 };
    const result = await kMeans(points, { k: 2, init, power: 1, tolerance: 0, maxIterations: 200 });
    assert.ok(Math.abs(result.centers.data[0] - 2) < 0.01, `${result.centers.data[0]}`);
    assert.ok(Math.abs(result.centers.data[1] - 1001) < 0.01);
    assert.ok(relativeGap(result.inertia, 2 + 1 + 0 + 1 + 97 + 2) < 1e-4);
    const { history } = await kMeans(mixture, { k: 6, power: 1, init: 'random' });
    for (let i = 1; i < history.length; i++) {
      // A center rounded to float32 is off by 2⁻²⁴ ‖c‖ < 1e-6, for each of 600 rows.
      assert.ok(history[i].inertia <= history[i - 1].inertia + 600e-6);
    }
  });

  it('stays at a median that lies on a row, and leaves a row that is none', async () => {
    const points = { data: Float32Array.of(0, 5, 100), rows: 3, cols: 1 };
    for (const start of [0, 5, 100]) {
      const init = { data: Float32Array.of(start), rows: 1, cols: 1 };
      const { centers } = await kMeans(points, { k: 1, init, power: 1, tolerance: 0, maxIterations: 400 });
      assert.ok(Math.abs(centers.data[0] - 5) < 0.01, `from ${start} to ${centers.data[0]}`);
    }
    // Two rows on the median outweigh the pull of the others, which by themselves would put the center at 4.17.
    const held = { data: Float32Array.of(0, 4, 5, 5, 100), rows: 5, cols: 1 };
    const init = { data: Float32Array.of(5), rows: 1, cols: 1 };
    const { history, converged } = await kMeans(held, { k: 1, init, power: 1, tolerance: 0 });
    assert.equal(history[0].shift, 0);
    assert.equal(converged, true);
  });

  describe('over a source', () => {
    /** Delivers `matrix` in blocks of the given sizes in turn, in memory that is overwritten afterwards. */
    function chunked(matrix: Matrix32, sizes: number[]): RowSource & { passes: number } {
      const { rows, cols } = matrix;
      return {
        rows,
        cols,
        passes: 0,
        async *blocks() {
          this.passes++;
          for (let start = 0, i = 0; start < rows; i++) {
            const count = Math.min(sizes[i % sizes.length], rows - start);
            const data = matrix.data.slice(start * cols, (start + count) * cols);
            yield { start, points: { data, rows: count, cols } };
            data.fill(Number.NaN);
            start += count;
          }
        },
      };
    }

    for (const init of SEEDING_METHODS) {
      it(`${init}: full passes give what a matrix gives, for any block size`, async () => {
        for (const spherical of [false, true]) {
          const options: KMeansOptions = { k: 7, init, spherical, seed: 5, trainRowsPerCenter: Infinity };
          const expected = await kMeans(mixture, options);
          for (const sizes of [[1], [7, 64], [600]]) {
            assert.deepEqual(await kMeans(chunked(mixture, sizes), options), expected);
          }
        }
      });
    }

    it('trains on a sample, and assigns every row exactly', async () => {
      const options: KMeansOptions = { k: 4, seed: 5, trainRowsPerCenter: 20 };
      const source = chunked(mixture, [100]);
      const result = await kMeans(source, options);
      assert.deepEqual(await kMeans(mixture, options), result);
      assert.equal(source.passes, 2, 'one pass for the sample, one for the assignment');
      assert.deepEqual(result.events[0], { type: 'trained-on-sample', rows: 80, of: 600 });
      assert.deepEqual([...result.labels], oracleAssign(mixture, result.centers.data).labels);
      const full = await kMeans(mixture, { k: 4, seed: 5 });
      assert.ok(result.inertia < 1.5 * full.inertia);
    });

    it('trains on rows of positive weight only', async () => {
      // As many of them as the sample has room for: it must be these.
      const weights = Float64Array.from({ length: 600 }, (_, i) => Number(i % 15 === 0));
      const init = takeRows(mixture, [0, 15]);
      const all = await kMeans(mixture, { k: 2, init, weights });
      const sampled = await kMeans(mixture, { k: 2, init, weights, trainRowsPerCenter: 20 });
      assert.deepEqual(sampled.centers, all.centers);
    });

    it('seeds with few passes by default when every iteration is one', async () => {
      const source = chunked(mixture, [600]);
      const { iterations } = await kMeans(source, { k: 40, trainRowsPerCenter: Infinity });
      assert.ok(source.passes <= iterations + 20, `${source.passes} passes, ${iterations} iterations`);
    });

    it('refuses a source that does not keep its word', async () => {
      const short: RowSource = { ...matrixSource(mixture), rows: 601 };
      await assert.rejects(kMeans(short, { k: 2 }), {
        code: 'DATA',
        message: /ended after 600 rows; expected 601/,
      });
      const wide: RowSource = { ...matrixSource(mixture), cols: 4 };
      await assert.rejects(kMeans(wide, { k: 2 }), { code: 'DATA', message: /block of shape \(600, 5\)/ });
    });
  });

  describe('bad input', () => {
    const bad = (row: number, value: number): Matrix32 => {
      const data = mixture.data.slice();
      data[row * 5 + 2] = value;
      return { ...mixture, data };
    };

    for (const value of [Number.NaN, Infinity, -Infinity]) {
      it(`names the row that holds ${value}`, async () => {
        const expected = { code: 'INVALID_ARGUMENT', message: /at row 417, column 2/ };
        const points = bad(417, value);
        await assert.rejects(kMeans(points, { k: 3 }), expected);
        await assert.rejects(kMeans(points, { k: 3, spherical: true }), expected);
        await assert.rejects(kMeans(matrixSource(points), { k: 3 }), expected);
        // In the sample or not: it is found.
        for (let seed = 0; seed < 6; seed++) {
          await assert.rejects(
            kMeans(matrixSource(points), { k: 3, trainRowsPerCenter: 99, seed }),
            expected,
          );
        }
      });
    }

    const rejected: [string, Partial<KMeansOptions>, RegExp][] = [
      ['k = 0', { k: 0 }, /kMeans: k is 0; expected an integer ≥ 1/],
      ['a fractional k', { k: 1.5 }, /k is 1.5/],
      ['a negative seed', { seed: -1 }, /seed is -1/],
      ['an unknown init', { init: 'best' as 'greedy' }, /init is "best"; expected one of greedy/],
      ['an unknown algorithm', { algorithm: 'fast' as 'auto' }, /algorithm is "fast"/],
      ['maxIterations = 0', { maxIterations: 0 }, /maxIterations is 0/],
      ['a negative tolerance', { tolerance: -1 }, /tolerance is -1/],
      ['no restart', { restarts: 0 }, /restarts is 0/],
      ['power = 3', { power: 3 as 2 }, /power is 3/],
      ['medians with bounds', { power: 1, algorithm: 'hamerly' }, /power is 1 with algorithm "hamerly"/],
      ['medians on the sphere', { power: 1, spherical: true }, /power is 1 with spherical/],
      ['a negative weight', { weights: new Float64Array(600).fill(-1) }, /weights\[0\] is -1/],
      ['weights that are all 0', { weights: new Float64Array(600) }, /weights are all 0/],
      ['no rows to train on', { trainRowsPerCenter: 0 }, /trainRowsPerCenter is 0/],
      [
        'bounds that do not fit',
        { algorithm: 'elkan', boundMemory: 1000 },
        /would keep 7200 bytes.*boundMemory = 1000/,
      ],
    ];
    for (const [what, options, message] of rejected) {
      it(`refuses ${what}`, async () => {
        await assert.rejects(kMeans(mixture, { k: 3, ...options }), { code: 'INVALID_ARGUMENT', message });
      });
    }

    it('refuses shapes that do not fit', async () => {
      const shape = { code: 'SHAPE' };
      await assert.rejects(kMeans(mixture, { k: 3, init: takeRows(mixture, [0, 1]) }), shape);
      await assert.rejects(
        kMeans(mixture, { k: 1, init: { data: new Float32Array(4), rows: 1, cols: 4 } }),
        shape,
      );
      await assert.rejects(kMeans(mixture, { k: 3, weights: new Float64Array(5) }), shape);
      await assert.rejects(kMeans({ data: new Float32Array(7), rows: 2, cols: 3 }, { k: 1 }), shape);
    });

    it('refuses no rows, no columns, and a direction of length 0', async () => {
      const invalid = { code: 'INVALID_ARGUMENT' };
      await assert.rejects(kMeans({ data: new Float32Array(0), rows: 0, cols: 3 }, { k: 1 }), invalid);
      await assert.rejects(kMeans({ data: new Float32Array(0), rows: 3, cols: 0 }, { k: 1 }), invalid);
      const zero = { data: Float32Array.of(1, 1, 0, 0), rows: 2, cols: 2 };
      const message = /row 1 is all zeros/;
      await assert.rejects(kMeans(zero, { k: 1, spherical: true }), { ...invalid, message });
      await assert.rejects(kMeans(matrixSource(zero), { k: 1, spherical: true }), { ...invalid, message });
    });
  });

  describe('while it runs', () => {
    it('reports seeding and every iteration', async () => {
      const phases: string[] = [];
      const { history } = await kMeans(mixture, { k: 5, onProgress: ({ phase }) => phases.push(phase) });
      assert.equal(phases[0], 'seeding');
      const moved = history.filter(({ shift }) => shift > 0).length;
      assert.equal(phases.filter((phase) => phase === 'k-means iteration').length, moved);
    });

    it('rejects with the reason of the signal, before and in the middle', async () => {
      const reason = new Error('enough');
      await assert.rejects(kMeans(mixture, { k: 5, signal: AbortSignal.abort(reason) }), reason);
      const controller = new AbortController();
      const onProgress = ({ done }: { done: number }) => {
        if (done === 2) controller.abort(reason);
      };
      const options: KMeansOptions = { k: 20, init: 'random', tolerance: 0, signal: controller.signal };
      await assert.rejects(kMeans(mixture, { ...options, onProgress }), reason);
    });

    it('lets a timer cancel it', async () => {
      const { points } = gaussianMixture({ rows: 60_000, cols: 16, clusters: 50, spread: 0.2 });
      const signal = AbortSignal.timeout(150);
      const endless: KMeansOptions = { k: 400, init: 'random', tolerance: 0, restarts: 1000, signal };
      const begin = performance.now();
      await assert.rejects(kMeans(points, endless), { name: 'TimeoutError' });
      // A tile of 65 536 rows takes the reference kernels about a second on a busy machine.
      assert.ok(performance.now() - begin < 10_000);
    });
  });
});
