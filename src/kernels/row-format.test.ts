import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createRng } from '../core/rng.ts';
import { rowBytes, rowFormat, STORAGES } from './row-format.ts';

/** Mean square error of the best levels for normal numbers, and what rows of 64 may be off from it: the scale is fitted, so that it is smaller. */
const LLOYD_MAX = { 8: 0, 4: 0.009497, 3: 0.03455, 2: 0.1175 };

function normals(count: number, seed: number): Float32Array {
  const rng = createRng(seed);
  return Float32Array.from({ length: count }, () => rng.normal());
}

function relativeError(rows: Float32Array, read: Float32Array): number {
  let [error, size] = [0, 0];
  rows.forEach((x, i) => {
    error += (x - read[i]) ** 2;
    size += x * x;
  });
  return error / size;
}

function throughFormat(
  storage: (typeof STORAGES)[number],
  part: 'keys' | 'values',
  dim: number,
  rows: Float32Array,
) {
  const format = rowFormat(storage, part, dim);
  const count = rows.length / dim;
  const stored = new format.Stored(count * format.width);
  for (let i = 0; i < count; i++) format.put(rows.subarray(i * dim, (i + 1) * dim), stored, i);
  return { stored, format, read: format.get(stored, 0, count) };
}

describe('rowFormat', () => {
  it('takes the bytes it says', () => {
    assert.deepEqual(
      STORAGES.map((storage) => [rowBytes(storage, 'keys', 64), rowBytes(storage, 'values', 64)]),
      [
        ...[
          [256, 256],
          [128, 128],
          [128, 128],
        ],
        ...[
          [66, 66],
          [34, 34],
          [34, 26],
          [34, 18],
        ],
      ],
    );
    assert.deepEqual([rowBytes('k4v3', 'values', 5), rowBytes('k4v2', 'values', 5)], [2 + 1 + 2, 2 + 2]);
  });

  it('loses of normal numbers about what the best levels lose', () => {
    const rows = normals(64 * 400, 1);
    for (const [storage, part, bits] of [
      ['k4v4', 'keys', 4],
      ['k4v3', 'values', 3],
      ['k4v2', 'values', 2],
    ] as const) {
      const error = relativeError(rows, throughFormat(storage, part, 64, rows).read);
      assert.ok(error < 1.05 * LLOYD_MAX[bits], `${bits} bits lose ${error}`);
      assert.ok(error > 0.8 * LLOYD_MAX[bits], `${bits} bits lose ${error}`);
    }
    // Uniform steps of the largest number, about 3 standard deviations: (3 / 127.5)² / 12.
    assert.ok(relativeError(rows, throughFormat('k8v8', 'keys', 64, rows).read) < 1e-4);
  });

  it('lets no coordinate that stands out take the bits of the others', () => {
    const rows = normals(64 * 100, 2);
    for (let i = 7; i < rows.length; i += 64) rows[i] = 40;
    const { read } = throughFormat('k4v4', 'keys', 64, rows);
    const others = (numbers: Float32Array) => numbers.filter((_, i) => i % 64 !== 7);
    // Off a normal row's error by the outlier's share of the row's square, 1600 of 1664 here.
    const error = relativeError(others(rows), others(read));
    assert.ok(error < 0.4, `${error}`);
    assert.ok(relativeError(rows, read) < 1.2 * LLOYD_MAX[4]);
  });

  it('gives back rows of zeros, single numbers and large ones', () => {
    for (const storage of ['k8v8', 'k4v4', 'k4v3', 'k4v2'] as const) {
      assert.deepEqual(throughFormat(storage, 'values', 6, new Float32Array(6)).read, new Float32Array(6));
      for (const x of [1, -3, 2 ** 90, -(2 ** -90)]) {
        const [read] = throughFormat(storage, 'keys', 1, Float32Array.of(x)).read;
        // One number is a level times the scale, which is rounded to 8 bits.
        assert.ok(Math.abs(read / x - 1) <= 2 ** -8, `${x} became ${read}`);
      }
    }
  });

  it('is off by less than half the largest step, whatever the row', () => {
    const entries = fc.double({ min: -1e4, max: 1e4, noNaN: true });
    fc.assert(
      fc.property(fc.array(entries, { minLength: 1, maxLength: 70 }), (numbers) => {
        const row = Float32Array.from(numbers);
        const size = Math.hypot(...row);
        // The largest number of a rotated row is at most its norm, and 8 bits have 255 levels; the scale is rounded to 8 bits.
        const { read } = throughFormat('k8v8', 'keys', row.length, row);
        const off = Math.hypot(...row.map((x, i) => x - read[i]));
        assert.ok(off <= size * (Math.sqrt(row.length) / 255 + 2 ** -8) + 1e-30, `${off} of ${size}`);
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it('knows a scale that is no number', () => {
    for (const storage of ['k4v3', 'float16', 'bfloat16', 'float32'] as const) {
      const { stored, format } = throughFormat(storage, 'values', 8, normals(16, 3));
      const isFine = () => stored.every((_: number, i: number) => format.isFinite(stored, i));
      assert.ok(isFine());
      if (stored instanceof Uint8Array) stored.set([0x80, 0x7f], format.width - 2);
      else stored.fill(storage === 'float32' ? Number.POSITIVE_INFINITY : 0x7f80 | 0x7c00, 3, 4);
      assert.ok(!isFine());
    }
  });
});
