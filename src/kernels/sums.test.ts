import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allKernels, offsetView, randomFloats } from '../../test/each-backend.ts';
import { createRng } from '../core/rng.ts';

const DIMS = [0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 33, 40, 130];

for (const { name, kernels } of await allKernels()) {
  describe(`labelSums and rowNorms, ${name}`, () => {
    it('sum rows in order, to the bit, with and without weights', async () => {
      for (const dim of DIMS)
        for (const rows of [0, 1, 2, 5, 50])
          for (const weights of [undefined, Float64Array.from(randomFloats(rows, 9), Math.abs)]) {
            const centerCount = 7;
            const points = offsetView(randomFloats(rows * dim, 1));
            const labels = offsetView(Uint32Array.from({ length: rows }, (_, i) => (i * 5) % centerCount));
            const sums = offsetView(Float64Array.from(randomFloats(centerCount * dim, 2)));
            const counts = offsetView(new Float64Array(centerCount).fill(2));
            const wantedSums = sums.slice();
            const wantedCounts = counts.slice();
            for (let i = 0; i < rows; i++) {
              wantedCounts[labels[i]] += weights?.[i] ?? 1;
              for (let p = 0; p < dim; p++)
                wantedSums[labels[i] * dim + p] += (weights?.[i] ?? 1) * points[i * dim + p];
            }
            const task = { points, rows, dim, labels, centerCount, sums, counts };
            await kernels.labelSums(weights ? { ...task, weights } : task);
            assert.deepEqual(sums, wantedSums);
            assert.deepEqual(counts, wantedCounts);
          }
    });

    it('sum many rows to the same bits, however they are shared out', async () => {
      const [rows, dim, centerCount] = [30_000, 160, 20];
      const points = randomFloats(rows * dim, 3);
      const labels = Uint32Array.from({ length: rows }, (_, i) => i % centerCount);
      const sums = new Float64Array(centerCount * dim);
      const counts = new Float64Array(centerCount);
      await kernels.labelSums({ points, rows, dim, labels, centerCount, sums, counts });
      const wanted = new Float64Array(dim);
      for (let i = 3; i < rows; i += centerCount)
        for (let p = 0; p < dim; p++) wanted[p] += points[i * dim + p];
      assert.deepEqual(sums.subarray(3 * dim, 4 * dim), wanted);
      assert.equal(counts[3], rows / centerCount);
    });

    it('give norms within the rounding of float64, the same bits everywhere', async () => {
      for (const dim of DIMS)
        for (const rows of [0, 1, 3, 100]) {
          const points = offsetView(randomFloats(rows * dim, 4));
          const origin = offsetView(randomFloats(dim, 5));
          for (const task of [
            { points, rows, dim },
            { points, rows, dim, origin },
          ]) {
            const norms = offsetView(new Float64Array(rows));
            await kernels.rowNorms({ ...task, norms });
            for (let i = 0; i < rows; i++) {
              const parts = new Float64Array(8);
              for (let p = 0; p < dim; p++)
                parts[p % 8] += (points[i * dim + p] - ('origin' in task ? origin[p] : 0)) ** 2;
              const [a, b, c, d, e, f, g, h] = parts;
              assert.equal(norms[i], a + e + (c + g) + (b + f + (d + h)), `dim ${dim}`);
            }
          }
        }
    });
  });

  describe(`uniform and xxh64, ${name}`, () => {
    it('give the stream of Rng.at, from any position', async () => {
      const rng = createRng(5).fork('stream');
      // Across 2³² the high word of the counter changes in the middle of a vector.
      for (const length of [0, 1, 3, 4, 5, 15, 16, 17, 100])
        for (const start of [0, 1, 2 ** 32 - 7, 2 ** 53 - 100]) {
          const out = offsetView(new Float64Array(length));
          await kernels.uniform({ key: rng.key, start, out });
          assert.deepEqual(
            out,
            Float64Array.from({ length }, (_, i) => rng.at(start + i)),
          );
        }
      const long = new Float64Array(40_000);
      await kernels.uniform({ key: rng.key, start: 11, out: long });
      for (let i = 0; i < long.length; i += 997) assert.equal(long[i], rng.at(11 + i));
    });

    it('give the golden numbers of Threefry-2x32-20', async () => {
      // Known answers of the Random123 distribution (kat_vectors): key 0 0 counter 0 0 gives 6b200159 99ba4efe.
      const out = new Float64Array(1);
      await kernels.uniform({ key: [0, 0], start: 0, out });
      assert.equal(out[0], ((0x99ba4efe >>> 6) * 2 ** 27 + (0x6b200159 >>> 5)) / 2 ** 53);
    });

    it('hash as xxhash-wasm does, with one seed, with many, and in place', async () => {
      const { default: xxhash } = await import('xxhash-wasm');
      const { h64Raw } = await xxhash();
      const rng = createRng(1);
      const word = () => (BigInt(rng.uint32()) << 32n) | BigInt(rng.uint32());
      const bytes = (value: bigint) => new Uint8Array(BigUint64Array.of(value).buffer);
      for (const length of [0, 1, 7, 8, 9, 40]) {
        const values = offsetView(
          BigUint64Array.from({ length }, (_, i) => (i === 0 ? 2n ** 64n - 1n : word())),
        );
        const seeds = offsetView(BigUint64Array.from({ length }, word));
        const hashes = offsetView(new BigUint64Array(length));
        await kernels.xxh64({ values, seeds: 42n, hashes });
        for (let i = 0; i < length; i++) assert.equal(hashes[i], h64Raw(bytes(values[i]), 42n));
        const wanted = values.map((value, i) => h64Raw(bytes(value), seeds[i]));
        await kernels.xxh64({ values, seeds, hashes: seeds });
        assert.deepEqual(seeds, wanted);
      }
    });
  });
}
