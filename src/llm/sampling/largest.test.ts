import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { largestIndices } from './largest.ts';
import { nucleus } from './nucleus.ts';

/** Oracle: sorts everything, stably. */
const sorted = (values: ArrayLike<number>): number[] =>
  Array.from(values, (_, i) => i).sort((a, b) => values[b] - values[a] || a - b);

/** Few different values, so that ties are common. */
const values = fc.array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true })), {
  maxLength: 60,
});

describe('largestIndices', () => {
  it('equals the head of a full sort, ties by index', () => {
    const property = fc.property(values, fc.nat(70), (any, count) => {
      assert.deepEqual([...largestIndices(any, count)], sorted(any).slice(0, count));
    });
    fc.assert(property, { seed: 1, numRuns: 1000 });
  });
});

describe('nucleus', () => {
  it('equals the shortest head of a full sort that holds the share', () => {
    const weights = fc.array(fc.oneof(fc.integer({ min: 0, max: 5 }), fc.nat(1000)), {
      minLength: 1,
      maxLength: 60,
    });
    const property = fc.property(weights, fc.integer({ min: 1, max: 999 }), (list, thousandths) => {
      const total = list.reduce((sum, weight) => sum + weight, 0);
      fc.pre(total > 0);
      // Integers and a share in thousandths: the comparison with the wanted mass is as exact here as there.
      const wanted = (thousandths / 1000) * total;
      const expected: number[] = [];
      let mass = 0;
      for (const index of sorted(list)) {
        if (expected.length > 0 && mass >= wanted) break;
        expected.push(index);
        mass += list[index];
      }
      assert.deepEqual([...nucleus(Float64Array.from(list), total, thousandths / 1000)], expected);
    });
    fc.assert(property, { seed: 2, numRuns: 1000 });
  });

  it('stops as soon as the share is reached, and takes one token at least', () => {
    assert.deepEqual([...nucleus(Float64Array.of(1, 2, 1), 4, 0.5)], [1]);
    assert.deepEqual([...nucleus(Float64Array.of(1, 2, 1), 4, 0.75)], [1, 0]);
    assert.deepEqual([...nucleus(Float64Array.of(1, 2, 1), 4, Number.MIN_VALUE)], [1]);
  });
});
