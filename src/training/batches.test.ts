import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createRng } from '../core/rng.ts';
import { batchesPerEpoch, shuffledBatches } from './batches.ts';

describe('shuffledBatches', () => {
  it('holds every row once, in batches of one size, the rest being filled up', () => {
    const sizes = fc.integer({ min: 1, max: 70 });
    fc.assert(
      fc.property(sizes, sizes, fc.nat(99), (rows, size, seed) => {
        const batches = shuffledBatches(rows, size, createRng(seed));
        assert.equal(batches.length, batchesPerEpoch(rows, size));
        assert.ok(batches.every(({ ids }) => ids.length === size && ids.every((id) => id < rows)));
        const real = batches.flatMap(({ ids, count }) => [...ids.subarray(0, count)]);
        assert.deepEqual(
          real.toSorted((a, b) => a - b),
          Array.from({ length: rows }, (_, i) => i),
        );
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it('takes another order in another epoch, the same one again with the same stream', () => {
    const first = (epoch: number) => shuffledBatches(100, 10, createRng(5).fork(epoch))[0].ids;
    assert.deepEqual(first(0), first(0));
    assert.notDeepEqual(first(0), first(1));
  });

  it('refuses empty data', () => {
    assert.throws(() => shuffledBatches(0, 1, createRng(0)), {
      code: 'INVALID_ARGUMENT',
      message: /rows is 0/,
    });
    assert.throws(() => shuffledBatches(1, 0, createRng(0)), {
      code: 'INVALID_ARGUMENT',
      message: /size is 0/,
    });
  });
});
