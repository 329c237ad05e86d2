import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createRng, type Rng } from '../../core/rng.ts';
import { loadKernels } from '../../kernels/index.ts';
import { type Bags, bagCount, bagMembers, bagSize, requireBags } from './bags.ts';
import { chunkBags, randomBags } from './chunks.ts';
import { optimalCuts } from './cuts.ts';
import { dequeCuts } from './deque.ts';
import { oracleBagCost, oracleBestPartition, oracleBestRuns } from './oracle.ts';
import { sliceBags } from './slice.ts';
import { withinBagSquares } from './squares.ts';

/** Normal, tied, heavy-tailed and clustered values by turns. */
function mixedValues(n: number, rng: Rng): Float64Array {
  const kind = rng.integer(4);
  return Float64Array.from({ length: n }, () => {
    if (kind === 0) return rng.normal();
    if (kind === 1) return rng.integer(4);
    if (kind === 2) return rng.normal() ** 5;
    return 1000 * rng.integer(3) + rng.normal() / 1000;
  });
}

function costOf(values: Float64Array, bags: Bags, rules: Parameters<typeof oracleBagCost>[2]): number {
  let cost = 0;
  for (let a = 0; a < bagCount(bags); a++)
    cost += oracleBagCost(values, Array.from(bagMembers(bags, a)), rules);
  return cost;
}

const near = (a: number, b: number, tolerance: number) =>
  assert.ok(Math.abs(a - b) <= tolerance * Math.abs(b) + 1e-24, `${a} is not ${b}`);

describe('sliceBags against the best of all partitions', () => {
  it('finds its cost in 600 cases of up to 10 values, ties among them', async () => {
    const rng = createRng(1);
    for (let trial = 0; trial < 600; trial++) {
      const n = trial % 100 === 0 ? 10 : 1 + rng.integer(trial % 20 === 0 ? 9 : 8);
      const minSize = 1 + rng.integer(Math.min(4, n));
      const values = mixedValues(n, rng);
      const { value } = await sliceBags(values, { minSize, seed: trial });
      requireBags('test', value.bags);
      const best = oracleBestPartition(values, { minSize });
      // Ten terms in float64 on values of one scale.
      assert.ok(
        Math.abs(value.cost - best) <= 1e-9 * (1 + best),
        `trial ${trial}: ${value.cost}, best ${best}`,
      );
      near(costOf(values, value.bags, { minSize }), value.cost, 1e-9);
    }
  });

  it('with largest sizes, weights, penalties and noise', async () => {
    const rng = createRng(2);
    for (let trial = 0; trial < 300; trial++) {
      const n = 2 + rng.integer(6);
      const minSize = 1 + rng.integer(Math.min(3, n));
      const maxSize = minSize + rng.integer(3);
      const fits = Math.ceil(n / maxSize) <= Math.floor(n / minSize);
      const values = Float64Array.from({ length: n }, () => rng.next());
      const weights = trial % 2 ? Float64Array.from(values, () => 0.2 + rng.next()) : undefined;
      const penalty = trial % 3 ? 0.05 * rng.next() : 0;
      const noisePenalty = trial % 5 === 0 ? 0.3 * rng.next() : 0;
      const options = { minSize, weights, penalty, noisePenalty, family: 'poisson', seed: trial } as const;
      const noise = values.map((mean) => noisePenalty * mean);
      const rules = { minSize, penalty, ...(weights && { weights }), ...(noisePenalty && { noise }) };
      // Weights and noise can make an optimum that is no runs; then the programme is about runs.
      const best = (most: number) =>
        weights || noisePenalty
          ? oracleBestRuns(values.toSorted(), { ...sortedRules(values, rules), maxSize: most })
          : oracleBestPartition(values, { ...rules, maxSize: most });
      for (const most of fits ? [maxSize, undefined] : [undefined]) {
        const { value } = await sliceBags(values, { ...options, maxSize: most });
        assert.ok(Math.abs(value.cost - best(most ?? n)) < 1e-12, `trial ${trial}`);
        assert.ok(Math.abs(value.cost - costOf(values, value.bags, rules)) < 1e-12);
      }
    }
  });
});

interface Rules {
  minSize: number;
  penalty: number;
  weights?: Float64Array;
  noise?: Float64Array;
}

/** Rules with weights and noise in ascending order of the values. */
function sortedRules(values: Float64Array, { weights, noise, ...rest }: Rules): Rules {
  const order = Array.from(values.keys()).sort((a, b) => values[a] - values[b]);
  const take = (from: Float64Array) => Float64Array.from(order, (i) => from[i]);
  return { ...rest, ...(weights && { weights: take(weights) }), ...(noise && { noise: take(noise) }) };
}

describe('the queue of starts and the search by halves against the plain programme', () => {
  it('find the same cost in 200 cases up to n = 5000', async () => {
    const rng = createRng(3);
    const kernels = await loadKernels();
    for (let trial = 0; trial < 200; trial++) {
      const minSize = [1, 2, 7, 64, 500][trial % 5];
      // The plain programme takes n · k steps.
      const n = trial < 10 ? 5000 : minSize + rng.integer(minSize > 64 ? 1500 : 2500);
      const sorted = mixedValues(n, rng).sort();
      const weights = trial % 7 === 6 ? Float64Array.from(sorted, () => 0.1 + rng.next()) : undefined;
      const rules = { minSize, maxSize: Math.min(n, 2 * minSize - 1), penalty: 0, weights, noise: undefined };
      const plain = cutCost(sorted, await optimalCuts(sorted, { ...rules, plain: true }, kernels), weights);
      near(cutCost(sorted, await optimalCuts(sorted, rules, kernels), weights), plain, 1e-12);
      near(cutCost(sorted, await dequeCuts(sorted, rules), weights), plain, 1e-9);
    }
  });

  it('find the same with a penalty, when the plain one is not bounded either', async () => {
    const rng = createRng(4);
    const kernels = await loadKernels();
    for (let trial = 0; trial < 40; trial++) {
      const minSize = [1, 2, 7, 64][trial % 4];
      const n = minSize + rng.integer(700);
      const sorted = mixedValues(n, rng).sort();
      const penalty = 10 ** (-6 + rng.integer(8)) * rng.next();
      const rules = { minSize, maxSize: n, penalty, weights: undefined, noise: undefined };
      const withPenalty = (offsets: Uint32Array) => cutCost(sorted, offsets) + penalty * (offsets.length - 1);
      const plain = withPenalty(await optimalCuts(sorted, { ...rules, plain: true }, kernels));
      near(withPenalty(await dequeCuts(sorted, rules)), plain, 1e-12);
      near(withPenalty(await optimalCuts(sorted, rules, kernels)), plain, 1e-12);
    }
  });
});

/** Σ w (v − v̄)² over runs. */
function cutCost(sorted: Float64Array, offsets: Uint32Array, weights?: Float64Array): number {
  let cost = 0;
  for (let a = 0; a + 1 < offsets.length; a++) {
    const bag = Array.from({ length: offsets[a + 1] - offsets[a] }, (_, t) => offsets[a] + t);
    cost += oracleBagCost(sorted, bag, weights ? { minSize: 1, weights } : { minSize: 1 });
  }
  return cost;
}

describe('sliceBags', () => {
  const rng = createRng(5);
  const values = Float64Array.from({ length: 3000 }, () => rng.normal());

  it('makes bags of k to 2k − 1 of runs of the sorted values', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: -40, max: 40 }), { minLength: 1, maxLength: 120 }),
        fc.integer({ min: 1, max: 20 }),
        async (list, wanted) => {
          const minSize = Math.min(wanted, list.length);
          const { value } = await sliceBags(Float64Array.from(list), { minSize, seed: 1 });
          requireBags('test', value.bags);
          assert.equal(value.bags.members.length, list.length);
          let last = -Infinity;
          for (let a = 0; a < bagCount(value.bags); a++) {
            assert.ok(bagSize(value.bags, a) >= minSize && bagSize(value.bags, a) < 2 * minSize);
            const bag = Array.from(bagMembers(value.bags, a), (i) => list[i]);
            assert.ok(Math.min(...bag) >= last);
            last = Math.max(...bag);
          }
        },
      ),
      { seed: 6, numRuns: 200 },
    );
  });

  it('costs no more than chunks, and those no more than random bags', async () => {
    for (const size of [2, 5, 37]) {
      const { value } = await sliceBags(values, { minSize: size, seed: 0 });
      const chunks = withinBagSquares(values, chunkBags(values, { size, seed: 0 }));
      const random = withinBagSquares(values, randomBags({ samples: 3000, size, seed: 0 }));
      near(withinBagSquares(values, value.bags), value.cost, 1e-12);
      assert.ok(value.cost < chunks && chunks < random);
    }
  });

  it('costs no more when bags may be smaller', async () => {
    const doubled = Float64Array.from({ length: 400 }, (_, i) => values[i >> 1]);
    let last = Infinity;
    for (const minSize of [40, 20, 10, 5, 2, 1]) {
      const { value } = await sliceBags(doubled, { minSize, seed: 0 });
      assert.ok(value.cost <= last);
      last = value.cost;
    }
    assert.equal(last, 0);
  });

  it('gives the same bags to the same samples in any order, and for αv + β', async () => {
    const { value } = await sliceBags(values, { minSize: 9, seed: 0 });
    const sets = (bags: Bags, name: (i: number) => number) =>
      Array.from({ length: bagCount(bags) }, (_, a) =>
        Array.from(bagMembers(bags, a), name).sort((x, y) => x - y),
      );
    const order = randomBags({ samples: 3000, size: 1, seed: 7 }).members;
    const permuted = await sliceBags(
      Float64Array.from(order, (i) => values[i]),
      { minSize: 9, seed: 3 },
    );
    assert.deepEqual(
      sets(permuted.value.bags, (i) => order[i]),
      sets(value.bags, (i) => i),
    );
    const moved = await sliceBags(
      values.map((v) => 3 * v + 0.7),
      { minSize: 9, seed: 0 },
    );
    assert.deepEqual(moved.value.bags, value.bags);
    near(moved.value.cost, 9 * value.cost, 1e-12);
  });

  it('cuts values of mean 1e9 and spread 1e-3 as those values less 1e9', async () => {
    const far = Float64Array.from({ length: 4000 }, () => 1e9 + 1e-3 * rng.normal());
    const here = far.map((v) => v - 1e9);
    for (const options of [{ minSize: 10 }, { minSize: 10, penalty: 1e-9 }, { minSize: 200 }]) {
      const shifted = await sliceBags(far, { ...options, seed: 1 });
      const centred = await sliceBags(here, { ...options, seed: 1 });
      assert.deepEqual(shifted.value, centred.value);
    }
  });

  it('keeps its digits beside values that are far away', async () => {
    // Two dense clumps 10⁹ of their widths apart, and an outlier: costs of 1e-18 beside squares of distances of 1.
    const clumps = Float64Array.from({ length: 3001 }, (_, i) =>
      i === 3000 ? 50 : (i % 2) + 1e-9 * rng.next(),
    );
    const sorted = clumps.toSorted();
    const parts = [sorted.subarray(0, 1500), sorted.subarray(1500, 3000)].map((part) =>
      part.map((v) => v - part[0]),
    );
    const { value } = await sliceBags(clumps.subarray(0, 3000), { minSize: 8, seed: 0 });
    let apart = 0;
    for (const part of parts) apart += (await sliceBags(part, { minSize: 8, seed: 0 })).value.cost;
    // Differences within the upper clump are multiples of 2⁻⁵², exact in both.
    near(value.cost, apart, 1e-12);
    assert.ok((await sliceBags(clumps, { minSize: 1, seed: 0 })).value.cost === 0);
  });

  it('survives values whose squares do not', async () => {
    for (const exponent of [-1000, -700, 700, 1000]) {
      const scaled = values.map((v) => v * 2 ** exponent);
      const { value } = await sliceBags(scaled, { minSize: 10, seed: 0 });
      assert.deepEqual(value.bags, (await sliceBags(values, { minSize: 10, seed: 0 })).value.bags);
    }
    const ends = await sliceBags(Float64Array.of(-Number.MAX_VALUE, Number.MAX_VALUE, 0), {
      minSize: 1,
      seed: 0,
    });
    assert.equal(ends.value.cost, 0);
    const heavy = await sliceBags(
      values.map((v) => v * 2 ** 399),
      { minSize: 10, weights: new Float64Array(3000).fill(1e50), seed: 0 },
    );
    assert.deepEqual(heavy.value.bags, (await sliceBags(values, { minSize: 10, seed: 0 })).value.bags);
    const tiny = await sliceBags(Float64Array.of(5e-324, 0, 0, 5e-324), { minSize: 2, penalty: 1, seed: 0 });
    assert.equal(bagCount(tiny.value.bags), 1);
  });

  it('tells mean scale from link scale', async () => {
    const logits = [-6, -5.5, -5.2, -2.2, -2, -0.4, 0.1, 0.3];
    const means = Float64Array.from(logits, (eta) => 1 / (1 + Math.exp(-eta)));
    const link = await sliceBags(means, { minSize: 3, costScale: 'link', family: 'logistic', seed: 0 });
    assert.deepEqual(link.value.bags.offsets, Uint32Array.of(0, 3, 8));
    near(link.value.cost, 5.89867, 1e-6);
    const mean = await sliceBags(means, { minSize: 3, seed: 0 });
    assert.deepEqual(mean.value.bags.offsets, Uint32Array.of(0, 5, 8));
    near(mean.value.cost, 0.0294464, 2e-6);
  });

  it('makes larger bags for a larger penalty', async () => {
    const counts: number[] = [];
    for (const penalty of [0, 1e-4, 1e-2, 1, 1e9]) {
      const { value } = await sliceBags(values, { minSize: 3, penalty, seed: 0 });
      counts.push(bagCount(value.bags));
    }
    assert.deepEqual(
      counts,
      counts.toSorted((a, b) => b - a),
    );
    assert.equal(counts.at(-1), 1);
    assert.ok(new Set(counts).size === 5);
  });

  it('chunks when the size is exact, and says that it is no optimum', async () => {
    const { value, certificate } = await sliceBags(values, { exactSize: 11, seed: 2 });
    assert.deepEqual(value.bags, chunkBags(values, { size: 11, seed: 2 }));
    assert.equal(certificate.bound.value, Infinity);
    assert.match(certificate.warnings[0], /chunks/);
  });

  it('bags a part of the table only', async () => {
    const members = Uint32Array.of(40, 2, 17, 33, 5);
    const { value } = await sliceBags(Float64Array.of(1, 2, 9, 1.1, 8), {
      minSize: 2,
      members,
      samples: 50,
      seed: 0,
    });
    assert.deepEqual(value.bags, {
      samples: 50,
      members: Uint32Array.of(40, 33, 2, 5, 17),
      offsets: Uint32Array.of(0, 3, 5),
    });
  });

  it('does not let the order of the file through when predictions tie', async () => {
    // As for chunks: a random bag of 10 of 1000 lies within 200 positions with chance < 10 · 0.2⁹ = 6e-6; more than 50 of 100 never do.
    const { value } = await sliceBags(new Float64Array(1000).fill(0.3), { minSize: 10, seed: 9 });
    let spread = 0;
    for (let a = 0; a < bagCount(value.bags); a++) {
      const bag = bagMembers(value.bags, a);
      if (Math.max(...bag) - Math.min(...bag) > 200) spread++;
    }
    assert.ok(spread > bagCount(value.bags) / 2);
  });

  it('says what is wrong with its input', async () => {
    const three = Float64Array.of(1, 2, 3);
    const cases: [Parameters<typeof sliceBags>[1], RegExp, Float64Array?][] = [
      [{ minSize: 4, seed: 0 }, /3 samples cannot make a bag of minSize = 4/],
      [{ minSize: 1.5, seed: 0 }, /minSize is 1.5/],
      [{ minSize: 0, seed: 0 }, /minSize is 0/],
      [{ minSize: Number.NaN, seed: 0 }, /minSize is NaN/],
      [{ seed: 0 }, /minSize is undefined, exactSize undefined; expected one/],
      [{ minSize: 1, exactSize: 1, seed: 0 }, /expected one of them/],
      [{ exactSize: 1, penalty: 1, seed: 0 }, /exactSize leaves no choice/],
      [{ minSize: 2, maxSize: 1, seed: 0 }, /maxSize is 1/],
      [{ minSize: 2, maxSize: 2, seed: 0 }, /3 samples cannot be cut into bags of 2 to 2/],
      [{ minSize: 1, penalty: -1, seed: 0 }, /penalty is -1/],
      [{ minSize: 1, noisePenalty: 1, seed: 0 }, /noisePenalty needs a family/],
      [{ minSize: 1, costScale: 'link', seed: 0 }, /costScale "link" needs a family/],
      [
        { minSize: 1, costScale: 'link', family: 'logistic', seed: 0 },
        /values\[0\] is 1; expected a probability/,
      ],
      [{ minSize: 1, noisePenalty: 1, family: 'logistic', seed: 0 }, /values\[1\] is 2, which is no mean/],
      [{ minSize: 1, weights: Float64Array.of(1, 0, 1), seed: 0 }, /weights\[1\] is 0/],
      [{ minSize: 1, weights: Float64Array.of(1, 1, 1e99), seed: 0 }, /weights\[2\] is 1e\+99/],
      [{ minSize: 1, seed: 0 }, /values\[1\] is Infinity; .*diverged/, Float64Array.of(0, Infinity)],
      [{ minSize: 1, seed: 2 ** 32 }, /seed is 4294967296/],
      [{ minSize: 1, seed: 0 }, /there are no samples/, new Float64Array(0)],
    ];
    for (const [options, message, values = three] of cases)
      await assert.rejects(sliceBags(values, options), { code: 'INVALID_ARGUMENT', message });
    await assert.rejects(sliceBags(three, { minSize: 1, weights: Float64Array.of(1), seed: 0 }), {
      code: 'SHAPE',
    });
  });

  it('falls back to random bags for a prior that diverged, when asked to, and says so', async () => {
    const bad = Float64Array.from({ length: 50 }, (_, i) => (i === 20 ? Number.NaN : i));
    const { value, certificate } = await sliceBags(bad, { minSize: 7, seed: 3, onBadPrior: 'random' });
    assert.deepEqual(value.bags, randomBags({ samples: 50, size: 7, seed: 3 }));
    assert.match(certificate.warnings[0], /values\[20\] is NaN.*random bags/);
    assert.equal(certificate.assumptions[0].status, 'violated');
    assert.equal(certificate.bound.value, Infinity);
  });
});
