import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createRng } from '../../core/rng.ts';
import { requireBags } from '../bags/bags.ts';
import { bucketOf, closeBuckets, expectedBucketSize, scoreBuckets } from './score-buckets.ts';

describe('scoreBuckets', () => {
  it('fills its buckets equally, up to one, with the scores it was made from', () => {
    const property = fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 12 }),
      (n, count) => {
        fc.pre(count <= n);
        const scores = Float64Array.from({ length: n }, (_, i) => ((i * 37) % 61) / 7);
        const buckets = scoreBuckets(scores, count);
        const sizes = new Array(count).fill(0);
        // tie 0: a score equal to a threshold belongs below it.
        for (const score of scores) sizes[bucketOf(buckets, score, 0)]++;
        assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, sizes.join());
      },
    );
    fc.assert(property, { seed: 1, numRuns: 200 });
  });

  it('keeps the order of scores in its buckets', () => {
    const buckets = scoreBuckets([5, 1, 3, 2, 4, 6], 3);
    assert.deepEqual(buckets, { thresholds: [2, 4] });
    assert.deepEqual(
      [-9, 1.9, 2.1, 3.9, 4.1, 99].map((score) => bucketOf(buckets, score, 0.99)),
      [0, 0, 1, 1, 2, 2],
    );
  });

  it('shares equal scores among the buckets of equal thresholds', () => {
    const buckets = scoreBuckets(new Float64Array(100).fill(7), 10);
    const rng = createRng(3);
    const sizes = new Array(10).fill(0);
    for (let i = 0; i < 10_000; i++) sizes[bucketOf(buckets, 7, rng.next())]++;
    // A binomial count of mean 1000 and deviation 30: six of them, false-failure rate below 1e-7 over ten buckets.
    assert.ok(
      sizes.every((size) => Math.abs(size - 1000) < 180),
      sizes.join(),
    );
  });

  it('refuses scores and ties outside their range', () => {
    assert.throws(() => scoreBuckets([1, NaN], 1), /scores\[1\] is NaN/);
    assert.throws(() => scoreBuckets([1, 2], 3), /count is 3/);
    assert.throws(() => bucketOf({ thresholds: [] }, Infinity, 0), /score is Infinity/);
    assert.throws(() => bucketOf({ thresholds: [] }, 1, 1), /tie is 1/);
  });
});

describe('closeBuckets', () => {
  it('merges neighbours until each bag is large enough, and loses nobody', () => {
    const property = fc.property(
      fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 80 }),
      fc.integer({ min: 1, max: 9 }),
      (buckets, minSize) => {
        fc.pre(buckets.length >= minSize);
        const members = buckets.map((_, i) => 2 * i);
        const bags = closeBuckets(buckets, { minSize, members, samples: 200 });
        requireBags('test', bags);
        assert.equal(bags.members.length, members.length);
        const bucketOfMember = (sample: number) => buckets[sample / 2];
        let before = -1;
        for (let a = 0; a + 1 < bags.offsets.length; a++) {
          assert.ok(bags.offsets[a + 1] - bags.offsets[a] >= minSize);
          const own = [...bags.members.subarray(bags.offsets[a], bags.offsets[a + 1])].map(bucketOfMember);
          assert.ok(Math.min(...own) > before);
          before = Math.max(...own);
        }
      },
    );
    fc.assert(property, { seed: 2, numRuns: 300 });
  });

  it('refuses fewer samples than one bag needs', () => {
    const part = { minSize: 3, members: [0, 1], samples: 9 };
    assert.throws(() => closeBuckets([0, 0], part), /there are 2 samples; expected at least minSize = 3/);
  });
});

describe('expectedBucketSize', () => {
  it('leaves two deviations of a count above the least size', () => {
    assert.equal(expectedBucketSize(1), 3);
    assert.equal(expectedBucketSize(100), 120);
  });
});
