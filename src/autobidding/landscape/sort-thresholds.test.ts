import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng } from '../../core/rng.ts';
import { sortMemory, sortThresholds } from './sort-thresholds.ts';

function requireSorted(values: Float64Array, start = 0, end = values.length): void {
  const order = sortThresholds(values, start, end, sortMemory(end - start));
  const wanted = Array.from({ length: end - start }, (_, i) => i).sort(
    (a, b) => values[start + a] - values[start + b] || a - b,
  );
  assert.deepEqual([...order], wanted);
}

describe('sortThresholds', () => {
  it('is the stable ascending order, of any length, spread and number of ties', () => {
    const rng = createRng(1);
    for (const n of [0, 1, 2, 33, 63, 64, 65, 1000, 5000]) {
      for (const spread of [0, 1e-12, 1e-6, 0.1, 3, 300]) {
        requireSorted(Float64Array.from({ length: n }, () => Math.exp(spread * rng.normal())));
      }
      requireSorted(Float64Array.from({ length: n }, () => rng.integer(4) / 3)); // ties, and zeros
      requireSorted(new Float64Array(n));
    }
  });

  it('sorts a part of an array and uses memory again', () => {
    const values = Float64Array.from({ length: 500 }, () => 0).map((_, i) => (i * 7919) % 501);
    const memory = sortMemory(500);
    for (const [start, end] of [
      [0, 500],
      [100, 300],
      [7, 20],
      [250, 500],
    ]) {
      const order = sortThresholds(values, start, end, memory);
      const sorted = [...order].map((i) => values[start + i]);
      assert.deepEqual(
        sorted,
        [...values.subarray(start, end)].sort((a, b) => a - b),
      );
    }
  });
});
