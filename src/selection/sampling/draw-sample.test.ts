import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createRng, shuffle } from '../../core/rng.ts';
import { chiSquarePValue } from '../../core/statistics/index.ts';
import { enumerateHansenHurwitz, enumeratePoisson } from '../oracle.ts';
import { mixWithUniform } from '../sensitivity.ts';
import { SAMPLING_SCHEMES, type WeightedSample } from '../types.ts';
import { exactVariance, poissonVariance } from '../variance.ts';
import { drawSample } from './draw-sample.ts';
import { drawIndependent } from './hansen-hurwitz.ts';
import { inclusionProbabilities } from './inclusion.ts';
import { sumBlocks } from './masses.ts';

const SEEDS = 20_000;
const n = 40;
const rng = createRng(7);
const losses = Float64Array.from({ length: n }, (_, e) => 3 * rng.next() ** 3 + (e % 9 === 0 ? 4 : 0));
const p = mixWithUniform(
  losses.map((loss) => 0.3 + loss * (0.5 + rng.next())),
  0.2,
);
const total = losses.reduce((sum, loss) => sum + loss, 0);

function estimate({ ids, weights }: WeightedSample, values: ArrayLike<number>): number {
  let sum = 0;
  ids.forEach((id, j) => {
    sum += weights[j] * values[id];
  });
  return sum;
}

/** Mean and variance of the estimate over 20 000 seeds. */
function overSeeds(
  values: ArrayLike<number>,
  draw: (seed: number) => WeightedSample,
): { mean: number; variance: number } {
  let mean = 0;
  let squares = 0;
  for (let seed = 0; seed < SEEDS; seed++) {
    const value = estimate(draw(seed), values);
    const step = value - mean;
    mean += step / (seed + 1);
    squares += step * (value - mean);
  }
  return { mean, variance: squares / (SEEDS - 1) };
}

/** 5 standard errors of a mean: false-failure rate 6e-7. */
function assertMean(mean: number, expected: number, variance: number): void {
  assert.ok(
    Math.abs(mean - expected) <= 5 * Math.sqrt(variance / SEEDS),
    `mean ${mean}, expected ${expected}`,
  );
}

describe('drawSample', () => {
  it('hansen-hurwitz is unbiased with the variance of the identity', () => {
    const { mean, variance } = overSeeds(losses, (seed) => drawSample(p, { size: 12, seed }));
    const exact = exactVariance(losses, p, 12);
    assertMean(mean, total, exact);
    // A variance of 20 000 nearly normal values has relative standard error √(2/20 000) = 0.01: 6 of them, rate 2e-9.
    assert.ok(Math.abs(variance / exact - 1) < 0.06, `ratio ${variance / exact}`);
  });

  it('weights sum to n in the mean, in every scheme', () => {
    const ones = new Float64Array(n).fill(1);
    for (const scheme of SAMPLING_SCHEMES) {
      const { mean, variance } = overSeeds(ones, (seed) => drawSample(p, { size: 12, seed, scheme }));
      assertMean(mean, n, variance);
    }
  });

  it('every scheme estimates the total without bias', () => {
    for (const scheme of SAMPLING_SCHEMES) {
      const { mean, variance } = overSeeds(losses, (seed) => drawSample(p, { size: 12, seed, scheme }));
      assertMean(mean, total, variance);
    }
  });

  it('poisson has the variance of its formula, and fixed-size no larger one', () => {
    const { inclusion } = inclusionProbabilities(p, 12);
    const exact = poissonVariance(losses, inclusion);
    const poisson = overSeeds(losses, (seed) => drawSample(p, { size: 12, seed, scheme: 'poisson' }));
    assert.ok(Math.abs(poisson.variance / exact - 1) < 0.06, `ratio ${poisson.variance / exact}`);
    // Pivotal sampling is negatively correlated, so it cannot exceed Poisson's variance (proved; 6 % is 6 SE of the measurement).
    const pivotal = overSeeds(losses, (seed) => drawSample(p, { size: 12, seed, scheme: 'fixed-size' }));
    assert.ok(pivotal.variance < 1.06 * exact, `${pivotal.variance} against ${exact}`);
  });

  it('fixed-size holds exactly s distinct rows, each as often as its inclusion probability says', () => {
    const size = 12;
    const { inclusion } = inclusionProbabilities(p, size);
    assert.ok(Math.abs(inclusion.reduce((sum, pi) => sum + pi, 0) - size) < 1e-9);
    const seen = new Float64Array(n);
    for (let seed = 0; seed < SEEDS; seed++) {
      const { ids } = drawSample(p, { size, seed, scheme: 'fixed-size' });
      assert.equal(new Set(ids).size, size);
      for (const id of ids) seen[id]++;
    }
    // Each count is binomial: 40 tails at 5.7 standard errors, false-failure rate 40 · 1.2e-8 = 5e-7.
    for (let e = 0; e < n; e++) {
      const error = Math.abs(seen[e] / SEEDS - inclusion[e]);
      assert.ok(
        error <= 5.7 * Math.sqrt((inclusion[e] * (1 - inclusion[e])) / SEEDS) + 1e-12,
        `row ${e}: ${error}`,
      );
    }
  });

  it('poisson sizes have mean s', () => {
    let rows = 0;
    for (let seed = 0; seed < SEEDS; seed++)
      rows += drawSample(p, { size: 12, seed, scheme: 'poisson' }).ids.length;
    const { inclusion } = inclusionProbabilities(p, 12);
    const variance = inclusion.reduce((sum, pi) => sum + pi * (1 - pi), 0);
    assertMean(rows / SEEDS, 12, variance);
  });

  it('draws a million rows in proportion to p (chi-square)', () => {
    const wide = Float64Array.from({ length: 1000 }, (_, e) => (e % 7 === 3 ? 0 : 0.2 + rng.next()));
    const mass = wide.reduce((sum, x) => sum + x, 0);
    const draws = 1_000_000;
    const { ids, counts } = drawSample(wide, { size: draws, seed: 3 });
    let statistic = 0;
    const drawn = new Float64Array(wide.length);
    ids.forEach((id, j) => {
      drawn[id] = counts[j];
    });
    let cells = 0;
    for (let e = 0; e < wide.length; e++) {
      if (wide[e] === 0) {
        assert.equal(drawn[e], 0);
        continue;
      }
      const expected = (draws * wide[e]) / mass;
      statistic += (drawn[e] - expected) ** 2 / expected;
      cells++;
    }
    // One fixed seed: false-failure rate 1e-6.
    assert.ok(chiSquarePValue(statistic, cells - 1) > 1e-6, `statistic ${statistic} of ${cells} cells`);
  });

  it('gives the same rows whatever order they come in', () => {
    const keys = Uint32Array.from({ length: 500 }, (_, e) => e);
    const scores = Float64Array.from(keys, () => 0.1 + rng.next());
    for (const scheme of SAMPLING_SCHEMES) {
      const plain = drawSample(scores, { size: 60, seed: 5, scheme });
      for (let trial = 0; trial < 5; trial++) {
        const permuted = shuffle(keys.slice(), createRng(trial));
        const sample = drawSample(
          Float64Array.from(permuted, (id) => scores[id]),
          { size: 60, seed: 5, scheme, keys: permuted },
        );
        const ids = Uint32Array.from(sample.ids, (row) => permuted[row]).sort();
        assert.deepEqual(ids, plain.ids, scheme);
      }
    }
  });

  it('never draws a row with p = 0 and never leaves the range, whatever the uniform number', () => {
    const gaps = Float64Array.of(0, 0, 1e-300, 0, 1, 0, 3, 0, 0);
    const masses = sumBlocks('gaps', gaps);
    for (const u of [0, Number.EPSILON, 0.25, 1 - Number.EPSILON / 2, 1]) {
      const stuck = { ...createRng(0), at: () => u };
      const { rows } = drawIndependent(gaps, masses, 4, stuck as never);
      for (const row of rows) assert.ok(gaps[row] > 0, `u = ${u} drew row ${row}`);
    }
    for (const scheme of SAMPLING_SCHEMES) {
      for (let seed = 0; seed < 300; seed++) {
        const { ids, weights } = drawSample(gaps, { size: 2, seed, scheme });
        for (const id of ids) assert.ok(gaps[id] > 0);
        for (const w of weights) assert.ok(w > 0 && w < Infinity);
      }
    }
  });

  it('returns all rows with weight 1 when more are asked for than there are, and still repeats i.i.d. draws', () => {
    for (const scheme of ['fixed-size', 'poisson', 'gumbel'] as const) {
      const { ids, weights } = drawSample(p, { size: 3 * n, scheme });
      assert.equal(ids.length, n);
      assert.deepEqual(weights, new Float64Array(n).fill(1));
    }
    const { counts } = drawSample(p, { size: 3 * n });
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      3 * n,
    );
  });

  it('keeps Σπ = s with certain rows, for any p', () => {
    const property = fc.property(
      fc.array(fc.oneof(fc.constant(0), fc.double({ min: 1e-200, max: 1e6, noNaN: true })), {
        minLength: 1,
        maxLength: 60,
      }),
      fc.integer({ min: 1, max: 60 }),
      (values, size) => {
        const positive = values.filter((x) => x > 0).length;
        fc.pre(positive > 0);
        const { inclusion, certain } = inclusionProbabilities(values, size);
        const sum = inclusion.reduce((total, pi) => total + pi, 0);
        assert.ok(Math.abs(sum - Math.min(size, positive)) < 1e-9 * size);
        assert.ok(certain <= Math.min(size, positive));
        assert.ok(inclusion.every((pi, e) => pi >= 0 && pi <= 1 && (values[e] > 0 || pi === 0)));
        const { ids } = drawSample(values, { size, scheme: 'fixed-size', seed: size });
        assert.equal(ids.length, Math.min(size, positive));
      },
    );
    fc.assert(property, { seed: 3, numRuns: 400 });
  });

  it('multiplies weights by what each row stands for', () => {
    const u = Float64Array.from({ length: n }, (_, e) => 1 + (e % 4));
    const mixed = mixWithUniform(losses, 0.3, u);
    const weighted = losses.map((loss, e) => loss * u[e]);
    const { mean, variance } = overSeeds(losses, (seed) =>
      drawSample(mixed, { size: 12, seed, rowWeights: u }),
    );
    assertMean(
      mean,
      weighted.reduce((sum, x) => sum + x, 0),
      variance,
    );
    assert.ok(Math.abs(variance / exactVariance(losses, mixed, 12, u) - 1) < 0.06);
  });

  it('names what is wrong', () => {
    assert.throws(() => drawSample([0.5, Number.NaN], { size: 1 }), {
      code: 'INVALID_ARGUMENT',
      message: /p\[1\] is NaN/,
    });
    assert.throws(() => drawSample([0, 0], { size: 1 }), { code: 'INVALID_ARGUMENT', message: /sum to 0/ });
    assert.throws(() => drawSample([1], { size: 0 }), { code: 'INVALID_ARGUMENT', message: /size is 0/ });
    assert.throws(() => drawSample([1], { size: 1, scheme: 'systematic' as never }), {
      message: /expected one of hansen-hurwitz/,
    });
    assert.throws(() => drawSample([1, 1], { size: 1, keys: [1] }), { code: 'SHAPE' });
  });
});

describe('exactVariance', () => {
  it('equals the enumeration of all samples', () => {
    const few = Float64Array.of(0.5, 2, 0, 7, 1);
    const q = Float64Array.of(0.1, 0.3, 0.1, 0.4, 0.1);
    for (const draws of [1, 2, 5]) {
      const { mean, variance } = enumerateHansenHurwitz(few, q, draws);
      assert.ok(Math.abs(mean - 10.5) < 1e-12);
      assert.ok(Math.abs(variance - exactVariance(few, q, draws)) < 1e-11 * variance);
    }
    const inclusion = Float64Array.of(0.3, 0.9, 0.2, 1, 0.5);
    const poisson = enumeratePoisson(few, inclusion);
    assert.ok(Math.abs(poisson.mean - 10.5) < 1e-12);
    assert.ok(Math.abs(poisson.variance - poissonVariance(few, inclusion)) < 1e-11);
  });

  it('is 0 when p is proportional to the losses, and refuses p = 0 under a loss', () => {
    const sum = 10.5;
    const few = Float64Array.of(0.5, 2, 0, 7, 1);
    assert.ok(
      exactVariance(
        few,
        few.map((x) => x / sum),
        3,
      ) < 1e-28,
    );
    assert.throws(() => exactVariance([1, 1], [1, 0], 3), {
      code: 'INVALID_ARGUMENT',
      message: /p\[1\] is 0/,
    });
  });
});
