import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createRng } from '../core/rng.ts';
import { batchesPerEpoch, shuffledBatches } from './batches.ts';
import { trainingWeights } from './weights.ts';

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

describe('trainingWeights', () => {
  it('none ignores them, importance scales them to mean 1, clipped caps them first', () => {
    const weights = [1, 1, 1, 1, 1, 19];
    assert.deepEqual([...trainingWeights(weights)], [1, 1, 1, 1, 1, 1]);
    assert.deepEqual(
      [...trainingWeights(weights, { weighting: 'importance' })],
      [0.25, 0.25, 0.25, 0.25, 0.25, 4.75],
    );
    // Capped at twice the mean of 4: 0.25 × 5 and 2, mean 13/24.
    const clipped = trainingWeights(weights, { weighting: 'clipped', clip: 2 });
    const wanted = [6, 6, 6, 6, 6, 48].map((x) => x / 13);
    assert.ok(clipped.every((weight, i) => Math.abs(weight - wanted[i]) < 1e-15));
  });

  it('refuses weights that are none', () => {
    const code = 'INVALID_ARGUMENT';
    assert.throws(() => trainingWeights([1, -1]), { code, message: /weights\[1\] is -1/ });
    assert.throws(() => trainingWeights([0, 0], { weighting: 'importance' }), {
      code,
      message: /all weights are 0/,
    });
    assert.throws(() => trainingWeights([1], { weighting: 'some' as 'none' }), {
      code,
      message: /one of none/,
    });
    assert.throws(() => trainingWeights([1], { clip: 0 }), { code });
  });
});
