import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ListVector } from './duckdb.ts';
import { copyLists } from './vector-source.ts';

describe('copyLists', () => {
  const never = (what: string, row: number): never => {
    throw new Error(`${what} at ${row}`);
  };

  it('copies lists wherever they lie: in order, out of order, or one for many rows', () => {
    const cols = 3;
    const starts = fc.array(fc.nat(7), { minLength: 1, maxLength: 12 });
    const property = fc.property(starts, fc.nat(11), fc.nat(12), (places, first, wanted) => {
      fc.pre(first < places.length);
      const count = Math.min(wanted, places.length - first);
      const items = Float32Array.from({ length: 8 * cols }, (_, i) => i);
      const lists: ListVector = {
        items,
        at: (row) => ({ start: places[row] * cols, length: cols }),
        complete: true,
        itemValid: () => true,
      };
      const target = new Float32Array(count * cols);
      copyLists(lists, first, count, cols, target, never);
      const expected = places.slice(first, first + count).flatMap((p) => [3 * p, 3 * p + 1, 3 * p + 2]);
      assert.deepEqual([...target], expected);
    });
    fc.assert(property, { seed: 1, numRuns: 500 });
  });
});
