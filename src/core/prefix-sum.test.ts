import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { prefixSum, searchPrefix } from './prefix-sum.ts';
import { createRng } from './rng.ts';
import { compensatedSum } from './sums.ts';

const someWeights = fc
  .array(fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1e12, noNaN: true })), {
    minLength: 1,
    maxLength: 60,
  })
  .filter((weights) => weights.some((w) => w > 0));

describe('prefixSum', () => {
  it('gives running totals', () => {
    assert.deepEqual(prefixSum([1, 0, 2, 3]), Float64Array.of(1, 1, 3, 6));
    assert.equal(prefixSum([]).length, 0);
  });

  it('never falls, stays where a weight is 0, and ends at the total', () => {
    const property = fc.property(someWeights, (weights) => {
      const prefix = prefixSum(weights);
      for (let i = 0; i < weights.length; i++) {
        const before = i > 0 ? prefix[i - 1] : 0;
        assert.ok(prefix[i] >= before);
        if (weights[i] === 0) assert.equal(prefix[i], before);
      }
      assert.equal(prefix.at(-1), compensatedSum(weights));
    });
    fc.assert(property, { seed: 1, numRuns: 500 });
  });

  it('keeps a million small weights behind a great one', () => {
    const weights = new Float64Array(1e6).fill(1e-7);
    weights[0] = 1e9; // one ulp is 1.2e-7, so that plain addition would double or drop every step
    assert.ok(Math.abs(prefixSum(weights).at(-1)! - (1e9 + 0.0999999)) <= 1.2e-7);
  });

  it('refuses weights that are no weights', () => {
    for (const bad of [-1, Number.NaN, Infinity]) {
      assert.throws(() => prefixSum([1, bad]), { code: 'INVALID_ARGUMENT', message: /weights\[1\]/ });
    }
  });
});

describe('searchPrefix', () => {
  it('finds what a scan finds, for every target, and never an entry of width 0', () => {
    const property = fc.property(
      someWeights,
      fc.double({ min: -0.5, max: 1.5, noNaN: true }),
      (weights, u) => {
        const prefix = prefixSum(weights);
        const target = u * prefix.at(-1)!;
        const found = searchPrefix(prefix, target);
        const scan = prefix.findIndex((total) => total > Math.max(0, target));
        assert.equal(found, scan >= 0 ? scan : prefix.indexOf(prefix.at(-1)!));
        assert.ok(weights[found] > 0);
      },
    );
    fc.assert(property, { seed: 1, numRuns: 2000 });
  });

  it('skips zeros at both ends and at the borders', () => {
    const prefix = prefixSum([0, 0, 1, 0, 2, 0, 0]);
    assert.deepEqual(
      [-1, 0, 0.99, 1, 2.99, 3, 4].map((target) => searchPrefix(prefix, target)),
      [2, 2, 2, 4, 4, 4, 4],
    );
  });

  it('draws by weight', () => {
    const prefix = prefixSum([1, 2, 7]);
    const rng = createRng(1);
    const counts = [0, 0, 0];
    const draws = 100_000;
    for (let i = 0; i < draws; i++) counts[searchPrefix(prefix, rng.next() * 10)]++;
    // Hoeffding: a share is off by more than 0.009 with probability ≤ 2 exp(−2 · 10⁵ · 0.009²) < 2e-7.
    for (const [i, share] of [0.1, 0.2, 0.7].entries())
      assert.ok(Math.abs(counts[i] / draws - share) < 0.009);
  });

  it('refuses to draw from nothing', () => {
    for (const prefix of [[], [0], [0, 0]]) {
      assert.throws(() => searchPrefix(prefix, 0), {
        code: 'INVALID_ARGUMENT',
        message: /total weight is 0/,
      });
    }
    assert.throws(() => searchPrefix([1], Number.NaN), { code: 'INVALID_ARGUMENT' });
  });
});
