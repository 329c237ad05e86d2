import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allKernels, offsetView } from '../../test/each-backend.ts';
import { createRng } from '../core/rng.ts';
import { loadKernels } from './load.ts';

const COLS = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 50];
const ROUNDING = 2 ** -53;

function randomDoubles(length: number, seed: number): Float64Array {
  const rng = createRng(seed);
  return offsetView(Float64Array.from({ length }, () => rng.normal()));
}

for (const { name, kernels } of await allKernels()) {
  describe(`rowProducts and rowMoments, ${name}`, () => {
    for (const count of [0, 1, 2, 31, 32, 33, 70]) {
      it(`are the sums by definition of ${count} rows, of all columns, some rows, with and without a centre`, async () => {
        for (const cols of COLS) {
          const features = randomDoubles(100 * cols, cols + 1);
          const rng = createRng(count);
          const some = offsetView(Uint32Array.from({ length: count }, () => rng.integer(100)));
          for (const rows of [undefined, some]) {
            for (const center of [undefined, randomDoubles(cols, 3)]) {
              const given = { features, cols, rows, count, center };
              const z = (i: number, j: number): number =>
                features[(rows ? rows[i] : i) * cols + j] - (center ? center[j] : 0);
              const coefficients = randomDoubles(cols, 4);
              const out = offsetView(new Float64Array(count).fill(7));
              await kernels.rowProducts({ ...given, coefficients, bias: 0.5, out });
              for (let i = 0; i < count; i++) {
                let sum = 0.5;
                let size = 0.5;
                for (let j = 0; j < cols; j++) {
                  sum += z(i, j) * coefficients[j];
                  size += Math.abs(z(i, j) * coefficients[j]);
                }
                // Both sums round once a term and a product.
                assert.ok(Math.abs(out[i] - sum) <= 2 * (cols + 2) * ROUNDING * size, `${cols} ${i}`);
              }

              const weights = randomDoubles(count, 5);
              const sums = offsetView(new Float64Array(cols).fill(1));
              const gram = offsetView(new Float64Array(cols * cols).fill(2));
              await kernels.rowMoments({ ...given, weights, sums, gram });
              const alone = new Float64Array(cols).fill(1);
              await kernels.rowMoments({ ...given, weights, sums: alone });
              assert.deepEqual(alone, sums.slice());
              for (let j = 0; j < cols; j++) {
                let first = 1;
                let firstSize = 1;
                for (let i = 0; i < count; i++) {
                  first += weights[i] * z(i, j);
                  firstSize += Math.abs(weights[i] * z(i, j));
                }
                assert.ok(Math.abs(sums[j] - first) <= 2 * (count + 3) * ROUNDING * firstSize);
                for (let l = 0; l < cols; l++) {
                  let second = 2;
                  let secondSize = 2;
                  for (let i = 0; i < count; i++) {
                    second += weights[i] * z(i, j) * z(i, l);
                    secondSize += Math.abs(weights[i] * z(i, j) * z(i, l));
                  }
                  assert.ok(Math.abs(gram[j * cols + l] - second) <= 2 * (count + 4) * ROUNDING * secondSize);
                  assert.equal(gram[j * cols + l], gram[l * cols + j]);
                }
              }
            }
          }
        }
      });
    }

    it('refuse what would read or write outside', async () => {
      const features = new Float64Array(12);
      const given = { features, cols: 3, count: 4 };
      const products = { ...given, coefficients: new Float64Array(3), bias: 0, out: new Float64Array(4) };
      await kernels.rowProducts(products);
      const bad: [object, RegExp][] = [
        [{ count: 5 }, /features has length 12/],
        [{ rows: Uint32Array.of(0, 1, 2, 4) }, /rows names row 4; expected one of the 4 rows/],
        [{ rows: Uint32Array.of(0) }, /rows has length 1/],
        [{ center: new Float64Array(2) }, /center has length 2/],
        [{ coefficients: new Float64Array(2) }, /coefficients has length 2/],
        [{ out: new Float64Array(3) }, /out has length 3/],
        [{ out: features }, /out/],
        [{ cols: 1.5 }, /cols is 1.5/],
      ];
      for (const [change, message] of bad) {
        await assert.rejects(kernels.rowProducts({ ...products, ...change }), { message });
      }
      const moments = { ...given, weights: new Float64Array(4), sums: new Float64Array(3) };
      await assert.rejects(kernels.rowMoments({ ...moments, sums: new Float64Array(2) }), {
        message: /sums/,
      });
      await assert.rejects(kernels.rowMoments({ ...moments, weights: new Float64Array(1) }), {
        message: /weights/,
      });
      await assert.rejects(kernels.rowMoments({ ...moments, gram: new Float64Array(8) }), {
        message: /gram/,
      });
    });
  });
}

describe('rowMoments of many rows', () => {
  it('has the same bits for any number of threads, and sums of whole numbers exactly', async () => {
    const [count, cols] = [20_000, 6];
    const rng = createRng(1);
    const features = Float64Array.from({ length: count * cols }, () => rng.integer(200) - 100);
    const weights = Float64Array.from({ length: count }, () => rng.integer(5));
    const wanted = new Float64Array(cols * cols);
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < cols * cols; j++) {
        const [a, b] = [Math.floor(j / cols), j % cols];
        wanted[j] += weights[i] * features[i * cols + a] * features[i * cols + b];
      }
    }
    const noisy = features.map((x) => x + rng.next());
    const bits: Float64Array[] = [];
    for (const backend of ['native', 'wasm', 'ts'] as const) {
      for (const threads of [1, 2, 3]) {
        if (backend === 'native' && process.env.PROVABLY_KERNELS && process.env.PROVABLY_KERNELS !== 'native')
          continue;
        const kernels = await loadKernels({ backend, threads }).catch(() => undefined);
        if (!kernels) continue;
        const gram = new Float64Array(cols * cols);
        await kernels.rowMoments({ features, cols, count, weights, sums: new Float64Array(cols), gram });
        assert.deepEqual(gram, wanted, `${backend} ${threads}`);
        const rounded = new Float64Array(cols * cols);
        await kernels.rowMoments({
          features: noisy,
          cols,
          count,
          weights,
          sums: new Float64Array(cols),
          gram: rounded,
        });
        if (backend === 'native') bits.push(rounded);
      }
    }
    for (const other of bits.slice(1)) assert.deepEqual(other, bits[0]);
  });
});
