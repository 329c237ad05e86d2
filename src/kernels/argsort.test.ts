import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng } from '../core/rng.ts';
import { argsort } from './argsort.ts';

describe('argsort', () => {
  it('is the stable order, of every kind of number', () => {
    const rng = createRng(1);
    const kinds: ((i: number) => number)[] = [
      () => rng.normal(),
      () => rng.integer(5) - 2,
      () => 7,
      () => rng.normal() * 2 ** (rng.integer(2000) - 1000),
      (i) => (i % 2 ? 0 : -0),
      () => 1e9 + rng.integer(1000) * 2 ** -23,
      (i) => [Infinity, -Infinity, 5e-324, -5e-324, Number.MAX_VALUE, 0][i % 6],
    ];
    for (const kind of kinds)
      for (const n of [0, 1, 2, 3, 100, 3000]) {
        const values = Float64Array.from({ length: n }, (_, i) => kind(i));
        const before = values.slice();
        const wanted = Array.from(values.keys()).sort((a, b) => values[a] - values[b] || a - b);
        // ∞ − ∞ is NaN, which counts as equal: then the order of positions decides, as it should.
        const order = new Uint32Array(n);
        const sorted = new Float64Array(n);
        argsort(values, order, sorted);
        assert.deepEqual(Array.from(order), wanted);
        assert.deepEqual(
          Array.from(sorted),
          wanted.map((i) => values[i] + 0),
        );
        assert.deepEqual(values, before);
      }
  });
});
