import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createRng, sampleIndices, shuffle, threefry2x32 } from './rng.ts';

describe('threefry2x32', () => {
  // Known answers published with Random123 (kat_vectors, threefry2x32 20).
  const vectors = [
    { key: [0, 0], counter: [0, 0], words: [0x6b200159, 0x99ba4efe] },
    { key: [0xffffffff, 0xffffffff], counter: [0xffffffff, 0xffffffff], words: [0x1cb996fc, 0xbb002be7] },
    { key: [0x13198a2e, 0x03707344], counter: [0x243f6a88, 0x85a308d3], words: [0xc4923a9c, 0x483df7a0] },
  ];
  for (const { key, counter, words } of vectors) {
    it(`gives the published words for counter ${counter.map((c) => c.toString(16))}`, () => {
      const out = new Uint32Array(2);
      threefry2x32(key[0], key[1], counter[0], counter[1], out);
      assert.deepEqual([...out], words);
    });
  }
});

describe('createRng', () => {
  it('repeats with its seed, and differs with another', () => {
    const [a, b, c] = [createRng(7), createRng(7), createRng(8)];
    const take = (rng: typeof a) => Array.from({ length: 50 }, () => rng.uint32());
    assert.deepEqual(take(a), take(b));
    assert.notDeepEqual(take(createRng(7)), take(c));
  });

  it('gives at(i) the i-th number of next(), and does not move', () => {
    const rng = createRng(3);
    const ahead = Array.from({ length: 10 }, (_, i) => rng.at(i));
    assert.deepEqual(
      Array.from({ length: 10 }, () => rng.next()),
      ahead,
    );
  });

  it('reaches positions beyond 2³²', () => {
    const rng = createRng(3);
    const values = [0, 2 ** 32, 2 ** 32 + 1, 2 ** 52].map((i) => rng.at(i));
    assert.equal(new Set(values).size, values.length);
  });

  it('forks streams that do not depend on what was drawn before', () => {
    const rng = createRng(1);
    const before = rng.fork('init').uint32();
    rng.next();
    assert.equal(rng.fork('init').uint32(), before);
    assert.notEqual(rng.fork('sample').uint32(), before);
  });

  it('draws integers uniformly, also where n does not divide 2³²', () => {
    const rng = createRng(5);
    const n = 6;
    const draws = 60_000;
    const counts = new Float64Array(n);
    for (let i = 0; i < draws; i++) counts[rng.integer(n)]++;
    const chiSquare = counts.reduce((sum, c) => sum + (c - draws / n) ** 2 / (draws / n), 0);
    // χ² with 5 degrees of freedom exceeds 37.3 with probability 5e-7.
    assert.ok(chiSquare < 37.3, `χ² = ${chiSquare}`);
  });

  it('stays in range for every n', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0x100000000 }), fc.integer({ min: 0, max: 1000 }), (n, seed) => {
        const value = createRng(seed).integer(n);
        assert.ok(Number.isInteger(value) && value >= 0 && value < n);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('draws normals with mean 0 and variance 1', () => {
    const rng = createRng(11);
    const n = 40_000;
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < n; i++) {
      const x = rng.normal();
      sum += x;
      squares += x * x;
    }
    // Five standard errors each (1/√n and √(2/n)): false-failure rate about 1e-6.
    assert.ok(Math.abs(sum / n) < 5 / Math.sqrt(n));
    assert.ok(Math.abs(squares / n - 1) < 5 * Math.sqrt(2 / n));
  });

  it('rejects a seed that is no unsigned 32-bit integer', () => {
    for (const seed of [-1, 1.5, NaN, 2 ** 32]) {
      assert.throws(() => createRng(seed), { code: 'INVALID_ARGUMENT', message: /expected an integer/ });
    }
  });
});

describe('sampleIndices and shuffle', () => {
  it('take distinct indices; all of them are a permutation', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.nat(1000), (n, seed) => {
        const picked = sampleIndices(n, n, createRng(seed));
        assert.equal(new Set(picked).size, n);
        const shuffled = shuffle([...picked], createRng(seed));
        assert.deepEqual(
          [...shuffled].sort((a, b) => a - b),
          Array.from({ length: n }, (_, i) => i),
        );
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  it('take every index equally often', () => {
    const counts = new Float64Array(5);
    const runs = 20_000;
    for (let seed = 0; seed < runs; seed++) for (const i of sampleIndices(5, 2, createRng(seed))) counts[i]++;
    for (const count of counts) {
      // Binomial(runs, 0.4): five standard errors, false-failure rate about 5 · 6e-7.
      assert.ok(Math.abs(count / runs - 0.4) < 5 * Math.sqrt(0.24 / runs), `${counts}`);
    }
  });
});
