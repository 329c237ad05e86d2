import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeMembers, encodeMembers, sameMembers } from './member-codec.ts';
import { SampleSet } from './sample-set.ts';

const rowSets = fc
  .uniqueArray(fc.oneof(fc.integer({ min: 0, max: 0xffffffff }), fc.integer({ min: 0, max: 300 })), {
    maxLength: 60,
  })
  .map((rows) => Uint32Array.from(rows).sort());

describe('member codec', () => {
  it('comes back as it went in, and tells sets apart', () => {
    const property = fc.property(rowSets, rowSets, (a, b) => {
      const bytes = encodeMembers(a);
      assert.deepEqual(decodeMembers(bytes), a);
      assert.ok(bytes.length <= 5 * a.length);
      assert.equal(sameMembers(bytes, encodeMembers(b)), Buffer.from(a.buffer).equals(Buffer.from(b.buffer)));
    });
    fc.assert(property, { seed: 1, numRuns: 500 });
  });

  it('has one spelling for a set: any bytes either fail or come back the same', () => {
    let read = 0;
    const property = fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
      let rows: Uint32Array;
      try {
        rows = decodeMembers(bytes);
      } catch (error) {
        assert.match((error as Error).message, /no valid row/);
        return;
      }
      read++;
      assert.deepEqual(encodeMembers(rows), bytes);
      for (let i = 1; i < rows.length; i++) assert.ok(rows[i] > rows[i - 1]);
    });
    fc.assert(property, { seed: 2, numRuns: 3000 });
    assert.ok(read > 100);
  });
});

describe('SampleSet', () => {
  it('holds what was added, while small and when large', () => {
    const property = fc.property(fc.array(fc.integer({ min: 0, max: 1999 }), { maxLength: 40 }), (rows) => {
      const set = new SampleSet(2000);
      const oracle = new Set<number>();
      for (const row of rows) {
        set.add(row);
        oracle.add(row);
        for (const probe of [row, row + 1, 0, 1999]) assert.equal(set.has(probe), oracle.has(probe));
      }
      for (let row = 0; row < 2000; row++) assert.equal(set.has(row), oracle.has(row));
    });
    fc.assert(property, { seed: 3, numRuns: 100 });
  });
});
