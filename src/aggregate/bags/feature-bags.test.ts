import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Matrix64 } from '../../core/matrix.ts';
import { createRng } from '../../core/rng.ts';
import { bagCount, bagSize, requireBags } from './bags.ts';
import { chunkBags, randomBags } from './chunks.ts';
import { featureSortBags, kMeansBags } from './feature-bags.ts';
import { withinBagSquares } from './squares.ts';

function normalMatrix(rows: number, cols: number): Matrix64 {
  const rng = createRng(1);
  return { data: Float64Array.from({ length: rows * cols }, () => 1e8 + rng.normal()), rows, cols };
}

const column = ({ data, rows, cols }: Matrix64, p: number) =>
  Float64Array.from({ length: rows }, (_, i) => data[i * cols + p]);

describe('featureSortBags', () => {
  it('is chunkBags of the column', () => {
    const features = normalMatrix(101, 3);
    const options = { size: 9, seed: 2 };
    assert.deepEqual(
      featureSortBags(features, { ...options, column: 2 }),
      chunkBags(column(features, 2), options),
    );
    assert.throws(() => featureSortBags(features, { ...options, column: 3 }), /column is 3/);
  });
});

describe('kMeansBags', () => {
  it('puts similar rows together, k to 2k − 1 a bag, whatever the offset of the columns', async () => {
    const features = normalMatrix(800, 2);
    const bags = await kMeansBags(features, { size: 6, seed: 3 });
    requireBags('test', bags);
    assert.equal(bags.members.length, 800);
    for (let a = 0; a < bagCount(bags); a++) assert.ok(bagSize(bags, a) >= 6 && bagSize(bags, a) < 12);
    const random = randomBags({ samples: 800, size: 6, seed: 3 });
    for (const p of [0, 1]) {
      const values = column(features, p);
      // A square of side 2.5 √(6 / 800) instead of the whole plane: a variance of 1/200; a tenth leaves room for the tails.
      assert.ok(withinBagSquares(values, bags) < 0.1 * withinBagSquares(values, random));
    }
    assert.deepEqual(await kMeansBags(features, { size: 6, seed: 3 }), bags);
  });

  it('copes with rows that are all alike, and with a part of the table', async () => {
    const features = { data: new Float64Array(40).fill(3), rows: 20, cols: 2 };
    const members = Uint32Array.from({ length: 20 }, (_, i) => 100 - i);
    const bags = await kMeansBags(features, { size: 3, seed: 0, members, samples: 200 });
    requireBags('test', bags);
    assert.deepEqual(bags.members.toSorted(), members.toSorted());
    assert.notDeepEqual(bags.members, members);
    assert.ok(Array.from({ length: bagCount(bags) }, (_, a) => bagSize(bags, a)).every((size) => size >= 3));
  });

  it('refuses what it cannot use, and stops when aborted', async () => {
    const features = normalMatrix(10, 2);
    await assert.rejects(kMeansBags(features, { size: 11, seed: 0 }), /cannot make a bag of size = 11/);
    await assert.rejects(
      kMeansBags({ data: Float64Array.of(1, Number.NaN), rows: 2, cols: 1 }, { size: 1, seed: 0 }),
      /row 1, column 0/,
    );
    const reason = new Error('stop');
    await assert.rejects(
      kMeansBags(features, { size: 2, seed: 0, signal: AbortSignal.abort(reason) }),
      reason,
    );
  });
});
