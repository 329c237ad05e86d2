import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chiSquarePValue } from '../../core/statistics/index.ts';
import { type RandomBits, secureBits, seededBits, uniformBelow } from './random-bits.ts';

/** Bits from a list of words. */
function wordsOf(...words: number[]): RandomBits {
  return {
    kind: 'seeded',
    uint32: () => words.shift() ?? assert.fail('more words were taken than expected'),
  };
}

describe('uniformBelow', () => {
  it('is uniform, for sizes that are no power of two', () => {
    for (const n of [2, 3, 5, 6, 7, 100]) {
      const counts = new Float64Array(n);
      const bits = seededBits(n);
      for (let i = 0; i < 20_000; i++) counts[uniformBelow(bits, n)]++;
      const expected = 20_000 / n;
      const statistic = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
      assert.ok(chiSquarePValue(statistic, n - 1) > 1e-4, `n = ${n}`); // the seeds are fixed
    }
  });

  it('draws again what is too large, instead of folding it', () => {
    assert.equal(uniformBelow(wordsOf(3, 3, 2), 3), 2);
    assert.equal(uniformBelow(wordsOf(0xffffffff), 2 ** 32), 0xffffffff);
    assert.equal(uniformBelow(wordsOf(0xffffffff, 0xffffffff), 2 ** 53), 2 ** 53 - 1);
    assert.equal(uniformBelow(wordsOf(1, 1, 0, 7), 2 ** 32 + 1), 7); // 2³² + 1 is too large by one
    assert.equal(uniformBelow(wordsOf(), 1), 0);
  });
});

describe('secureBits', () => {
  it('never gives the same stream twice', () => {
    const [a, b] = [secureBits(), secureBits()];
    const words = (bits: RandomBits) => Array.from({ length: 5000 }, () => bits.uint32());
    const first = words(a);
    assert.notDeepEqual(first, words(b));
    // More than one refill, and no word left at the 0 that wipes it: four of 5000 words are 0 with chance 1e-24.
    assert.ok(first.filter((word) => word === 0).length < 4);
    assert.equal(a.kind, 'secure');
  });
});

describe('seededBits', () => {
  it('repeats, and says so', () => {
    assert.equal(seededBits(7).uint32(), seededBits(7).uint32());
    assert.notEqual(seededBits(7).uint32(), seededBits(8).uint32());
    assert.equal(seededBits(7).kind, 'seeded');
    assert.throws(() => seededBits(-1), { message: /seed is -1/ });
  });
});
