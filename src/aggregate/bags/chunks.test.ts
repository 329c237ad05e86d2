import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createRng } from '../../core/rng.ts';
import { bagSize, requireBags } from './bags.ts';
import { chunkBags, chunkOffsets, randomBags } from './chunks.ts';
import { globalBag, singletonBags } from './simple.ts';
import { withinBagSquares } from './squares.ts';

function normals(n: number, seed: number): Float64Array {
  const rng = createRng(seed);
  return Float64Array.from({ length: n }, () => rng.normal());
}

describe('chunkOffsets', () => {
  it('spreads the remainder over the last bags and leaves none too small', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 60 }), (count, wanted) => {
        const size = Math.min(wanted, count);
        const offsets = chunkOffsets(count, size);
        const sizes = Array.from(offsets.subarray(1), (end, a) => end - offsets[a]);
        assert.equal(offsets.at(-1), count);
        assert.equal(sizes.length, Math.floor(count / size));
        assert.ok(Math.min(...sizes) >= size);
        assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1);
        assert.deepEqual(
          sizes,
          sizes.toSorted((a, b) => a - b),
        );
      }),
      { seed: 1 },
    );
    assert.deepEqual(chunkOffsets(11, 3), Uint32Array.of(0, 3, 7, 11));
    assert.deepEqual(chunkOffsets(5, 3), Uint32Array.of(0, 5));
  });
});

describe('randomBags', () => {
  it('holds every sample once, in an order of its seed', () => {
    const bags = randomBags({ samples: 103, size: 10, seed: 4 });
    requireBags('test', bags);
    assert.equal(bags.members.length, 103);
    assert.deepEqual(bags, randomBags({ samples: 103, size: 10, seed: 4 }));
    assert.notDeepEqual(bags, randomBags({ samples: 103, size: 10, seed: 5 }));
  });

  it('bags the given members only', () => {
    const members = Uint32Array.of(7, 3, 90, 12, 5);
    const bags = randomBags({ members, samples: 100, size: 2, seed: 0 });
    assert.equal(bags.samples, 100);
    assert.deepEqual(bags.members.toSorted(), members.toSorted());
    assert.deepEqual(bags.offsets, Uint32Array.of(0, 2, 5));
  });

  it('refuses what makes no bags', () => {
    const cases: [object, RegExp][] = [
      [{ samples: 3, size: 4 }, /3 samples cannot make a bag of size = 4/],
      [{ samples: 3, size: 0 }, /size is 0/],
      [{ samples: 3, size: 1.5 }, /size is 1.5/],
      [{ size: 1 }, /there are no samples/],
      [{ members: Uint32Array.of(1, 1), size: 1 }, /members\[1\] is 1, which is there before/],
      [{ members: Uint32Array.of(1, 9), samples: 5, size: 1 }, /members\[1\] is 9/],
    ];
    for (const [options, message] of cases)
      assert.throws(() => randomBags({ seed: 0, size: 1, ...options }), {
        code: 'INVALID_ARGUMENT',
        message,
      });
    assert.throws(() => randomBags({ samples: 3, size: 1, seed: -1 }), /seed is -1/);
  });
});

describe('chunkBags', () => {
  it('cuts the sorted order, whatever increasing transform the values went through', () => {
    const values = normals(500, 2);
    const bags = chunkBags(values, { size: 7, seed: 1 });
    for (let a = 0; a < 70; a++) {
      const end = bags.members[bags.offsets[a + 1] - 1];
      assert.ok(values[end] < values[bags.members[bags.offsets[a + 1]]]);
    }
    assert.deepEqual(bags, chunkBags(values.map(Math.exp), { size: 7, seed: 1 }));
  });

  it('does not let the order of the file through when values tie', () => {
    // All have the same prediction. A random bag of 10 spans less than 100 of 1000 positions with chance < 10 · 0.1⁹ = 1e-8, so ten of
    // a hundred bags do never; were the order of the file kept, all would.
    const bags = chunkBags(new Float64Array(1000), { size: 10, seed: 3 });
    let mixed = 0;
    for (let a = 0; a < 100; a++) {
      const members = bags.members.subarray(bags.offsets[a], bags.offsets[a + 1]);
      if (Math.max(...members) - Math.min(...members) > 100) mixed++;
    }
    assert.ok(mixed > 90);
    // Of two tied values each comes first half the time: 200 seeds, ≤ 150 fails with chance 2 exp(−2 · 50² / 200) = 3e-11.
    let first = 0;
    for (let seed = 0; seed < 200; seed++)
      if (chunkBags(Float64Array.of(1, 0, 0), { size: 1, seed }).members[0] === 1) first++;
    assert.ok(first > 50 && first < 150);
  });

  it('names the value that is not finite', () => {
    assert.throws(() => chunkBags(Float64Array.of(1, Number.NaN), { size: 1, seed: 0 }), {
      code: 'INVALID_ARGUMENT',
      message: /values\[1\] is NaN/,
    });
    assert.throws(() => chunkBags(Float64Array.of(1, 2), { size: 1, seed: 0, members: Uint32Array.of(1) }), {
      code: 'SHAPE',
    });
  });
});

describe('withinBagSquares', () => {
  it('is 0 for singletons, the total scatter for one bag, and between for bags', () => {
    const values = normals(1000, 5);
    const mean = values.reduce((sum, v) => sum + v, 0) / 1000;
    const total = values.reduce((sum, v) => sum + (v - mean) ** 2, 0);
    assert.equal(withinBagSquares(values, singletonBags({ samples: 1000 })), 0);
    // 1000 terms, each within a few roundings of the largest.
    assert.ok(
      Math.abs(withinBagSquares(values, globalBag({ samples: 1000 })) - total) < 1000 * 4 * 2 ** -53 * total,
    );
    const random = withinBagSquares(values, randomBags({ samples: 1000, size: 5, seed: 1 }));
    const sorted = withinBagSquares(values, chunkBags(values, { size: 5, seed: 1 }));
    assert.ok(sorted < random / 100 && random < total);
  });

  it('does not feel a common offset that the values can carry', () => {
    const values = Float64Array.from({ length: 400 }, (_, i) => ((i * 7919) % 400) / 1024);
    const bags = randomBags({ samples: 400, size: 7, seed: 2 });
    const shifted = values.map((v) => v + 2 ** 30);
    assert.equal(withinBagSquares(shifted, bags), withinBagSquares(values, bags));
    assert.equal(bagSize(bags, 0), 7);
  });
});
