import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { allKernels, offsetView, randomFloats } from '../../test/each-backend.ts';
import type { GemmTask } from './types.ts';

interface Shape {
  m: number;
  n: number;
  k: number;
  transposeA: boolean;
  transposeB: boolean;
  accumulate: boolean;
  /** Entries of padding in each stored row of A, B, C. */
  gaps: readonly [number, number, number];
}

const plain = { transposeA: false, transposeB: false, accumulate: false, gaps: [0, 0, 0] } as const;
const flags = [false, true];

// 0, 1, the lanes and tile edges of every SIMD level ± 1 (tiles of 4 to 8 rows and 8 to 48 columns), and the depth block ± 1.
const EDGES = [0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 15, 16, 17, 31, 33, 47, 48, 49, 97];
const DEPTHS = [0, 1, 3, 4, 15, 16, 17, 255, 256, 257, 600];

for (const { name, kernels } of await allKernels()) {
  describe(`gemm, ${name}`, () => {
    it('is right at every edge of its tiles', async () => {
      for (const m of EDGES) for (const n of EDGES) await check({ ...plain, m, n, k: 19 });
      for (const k of DEPTHS) for (const m of [1, 7, 8, 9, 50]) await check({ ...plain, m, n: 53, k });
    });

    it('is right for all transposes, strides and accumulation', async () => {
      for (const transposeA of flags)
        for (const transposeB of flags)
          for (const accumulate of flags)
            for (const gaps of [
              [0, 0, 0],
              [3, 1, 5],
            ] as const)
              for (const [m, n, k] of [
                [1, 70, 33],
                [5, 600, 21],
                [70, 1, 33],
                [90, 6, 40],
                [61, 50, 261],
              ])
                await check({ m, n, k, transposeA, transposeB, accumulate, gaps });
    });

    it('is right for any shape', async () => {
      const size = fc.integer({ min: 0, max: 70 });
      const gap = fc.integer({ min: 0, max: 3 });
      const shape = fc.record({
        m: size,
        n: size,
        k: size,
        transposeA: fc.boolean(),
        transposeB: fc.boolean(),
        accumulate: fc.boolean(),
        gaps: fc.tuple(gap, gap, gap),
      });
      await fc.assert(fc.asyncProperty(shape, check), { seed: 1, numRuns: 60 });
    });

    it('is right where several threads and blocks share the work', async () => {
      await check({ ...plain, m: 333, n: 420, k: 700 });
      await check({ ...plain, m: 8, n: 5000, k: 300, transposeB: true });
    });

    it('carries NaN and infinity of A and B to their rows and columns only', async () => {
      const [m, n, k] = [20, 60, 30];
      const a = randomFloats(m * k, 1);
      const b = randomFloats(k * n, 2);
      a[3 * k + 7] = NaN;
      b[9 * n + 41] = Infinity;
      const c = new Float32Array(m * n);
      await kernels.gemm({ m, n, k, a, b, c });
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++)
          assert.equal(Number.isFinite(c[i * n + j]), i !== 3 && j !== 41, `entry ${i}, ${j}`);
    });
  });

  async function check({ gaps, ...shape }: Shape): Promise<void> {
    const { m, n, k, transposeA, transposeB } = shape;
    const [rowsA, colsA] = transposeA ? [k, m] : [m, k];
    const [rowsB, colsB] = transposeB ? [n, k] : [k, n];
    const [strideA, strideB, strideC] = [colsA + gaps[0], colsB + gaps[1], n + gaps[2]];
    const a = offsetView(randomFloats(rowsA * strideA, 1));
    const b = offsetView(randomFloats(rowsB * strideB, 2));
    const before = randomFloats(m * strideC, 3);
    const c = offsetView(before);
    const task: GemmTask = { ...shape, a, b, c, strideA, strideB, strideC };
    await kernels.gemm(task);
    compare(task, before);
    const all = new Float32Array(c.buffer);
    assert.ok(
      [...all.subarray(0, 3), ...all.subarray(-2)].every((x) => x === 0),
      'wrote beyond C',
    );
  }
}

/** Every entry against float64 sums, within the bound of types.ts. */
function compare(task: GemmTask, before: Float32Array): void {
  const { m, n, k, c, accumulate, strideC = 0 } = task;
  const { sums, sizes } = product(task);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < strideC; j++) {
      const at = i * strideC + j;
      if (j >= n) {
        assert.equal(c[at], before[at], 'wrote into the padding of C');
        continue;
      }
      const start = accumulate ? before[at] : 0;
      const expected = start + sums[i * n + j];
      // γ(k + blocks + 2): a rounding per product and addition, per block of 256 terms, and of C (native/kernels.h).
      const tolerance = (k + Math.ceil(k / 256) + 3) * 2 ** -24 * (Math.abs(start) + sizes[i * n + j]);
      assert.ok(
        Math.abs(c[at] - expected) <= tolerance,
        `entry ${i}, ${j} is ${c[at]}; expected ${expected} ± ${tolerance} of ${shapeOf(task)}`,
      );
    }
  }
}

// Inputs depend on the shape alone, so the oracle need not be asked again for every backend.
const products = new Map<string, { sums: Float64Array; sizes: Float64Array }>();

/** Σ aᵢbᵢ and Σ |aᵢbᵢ| of every entry in float64, shape (m, n). */
function product(task: GemmTask): { sums: Float64Array; sizes: Float64Array } {
  const { m, n, k, a, b, transposeA, transposeB, strideA = 0, strideB = 0 } = task;
  const known = products.get(shapeOf(task));
  if (known) return known;
  const sums = new Float64Array(m * n);
  const sizes = new Float64Array(m * n);
  for (let i = 0; i < m; i++)
    for (let p = 0; p < k; p++) {
      const left = transposeA ? a[p * strideA + i] : a[i * strideA + p];
      for (let j = 0; j < n; j++) {
        const term = left * (transposeB ? b[j * strideB + p] : b[p * strideB + j]);
        sums[i * n + j] += term;
        sizes[i * n + j] += Math.abs(term);
      }
    }
  products.set(shapeOf(task), { sums, sizes });
  return { sums, sizes };
}

function shapeOf({ m, n, k, transposeA, transposeB, strideA, strideB }: GemmTask): string {
  return JSON.stringify({ m, n, k, transposeA, transposeB, strideA, strideB });
}
