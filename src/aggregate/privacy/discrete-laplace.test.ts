import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { chiSquarePValue } from '../../core/statistics/index.ts';
import {
  discreteLaplaceQuantile,
  discreteLaplaceTail,
  discreteLaplaceVariance,
  type NoiseScale,
  noiseScale,
  sampleDiscreteLaplace,
} from './discrete-laplace.ts';
import { type RandomBits, secureBits, seededBits } from './random-bits.ts';

/** Oracle: P(Z = z) from the definition, normalised by its own sum. */
function probabilityOf(z: number, { t, s }: NoiseScale): number {
  let total = 0;
  for (let k = -2000; k <= 2000; k++) total += Math.exp((-Math.abs(k) * s) / t);
  return Math.exp((-Math.abs(z) * s) / t) / total;
}

function draw(count: number, scale: NoiseScale, bits: RandomBits): Float64Array {
  return Float64Array.from({ length: count }, () => sampleDiscreteLaplace(bits, scale));
}

/** p-value of the counts over −8 … 8 and both tails against `expected`. */
function chiSquareP(values: Float64Array, expected: NoiseScale): number {
  const edge = 8;
  const counts = new Float64Array(2 * edge + 3);
  for (const z of values) counts[Math.max(-edge - 1, Math.min(edge + 1, z)) + edge + 1]++;
  let statistic = 0;
  counts.forEach((count, bin) => {
    const z = bin - edge - 1;
    const p = Math.abs(z) > edge ? discreteLaplaceTail(expected, edge) / 2 : probabilityOf(z, expected);
    statistic += (count - values.length * p) ** 2 / (values.length * p);
  });
  return chiSquarePValue(statistic, counts.length - 1);
}

/** Largest ratio of the histograms of sums S and S + Δ, as a multiple of what ε allows, and whether some bin breaks it by more than 5 standard errors. */
function privacyOf(
  values: Float64Array,
  sensitivity: number,
  epsilon: number,
): { ratio: number; broken: boolean } {
  const counts = new Map<number, number>();
  for (const z of values) counts.set(z, (counts.get(z) ?? 0) + 1);
  let ratio = 0;
  let broken = false;
  for (const [z, count] of counts) {
    const other = counts.get(z - sensitivity) ?? 0; // the sum is S + Δ and the answer the same
    if (count < 500 || other < 500) continue;
    for (const [a, b] of [
      [count, other],
      [other, count],
    ]) {
      const error = Math.sqrt(1 / a + 1 / b);
      if (a / b > Math.exp(epsilon) * (1 + 5 * error)) broken = true;
      ratio = Math.max(ratio, a / b / Math.exp(epsilon));
    }
  }
  return { ratio, broken };
}

describe('sampleDiscreteLaplace', () => {
  it('has its distribution, for scales above and below 1', () => {
    for (const [seed, scale] of [
      { t: 5, s: 2 },
      { t: 1, s: 1 },
      { t: 2, s: 3 },
      { t: 7, s: 3 },
    ].entries()) {
      const values = draw(100_000, scale, seededBits(seed));
      const p = chiSquareP(values, scale);
      assert.ok(p > 1e-4, `t/s = ${scale.t}/${scale.s}: p = ${p}`); // the seed is fixed
      assert.ok(values.every((z) => Number.isSafeInteger(z)));
      // Someone who draws with half the scale is found out.
      const halved = draw(100_000, { t: scale.t, s: 2 * scale.s }, seededBits(seed));
      assert.ok(chiSquareP(halved, scale) < 1e-9);
    }
  });

  it('has its distribution over bits nobody can repeat', () => {
    // False-failure rate 1e-7.
    assert.ok(chiSquareP(draw(50_000, { t: 5, s: 2 }, secureBits()), { t: 5, s: 2 }) > 1e-7);
  });

  it('keeps the ratio of the chances of any answer within e^ε and uses it up, and the mutant with half the scale does not', () => {
    for (const [epsilon, sensitivity] of [
      [1, 1],
      [0.5, 1],
      [1, 3],
    ]) {
      const honest = draw(100_000, noiseScale('test', sensitivity, epsilon), seededBits(3));
      const { ratio, broken } = privacyOf(honest, sensitivity, epsilon);
      assert.equal(broken, false);
      assert.ok(ratio >= 0.9, `the largest ratio is ${ratio} of e^ε`);
      const mutant = draw(100_000, noiseScale('test', sensitivity, 2 * epsilon), seededBits(3));
      assert.equal(privacyOf(mutant, sensitivity, epsilon).broken, true);
    }
  });

  it('agrees with its formulas for variance and P(0)', () => {
    const scale = { t: 5, s: 2 };
    let variance = 0;
    for (let z = -400; z <= 400; z++) variance += z * z * probabilityOf(z, scale);
    assert.ok(Math.abs(variance - discreteLaplaceVariance(scale)) < 1e-9);
    assert.ok(Math.abs(variance - 12.33) < 0.01);
    assert.ok(Math.abs(1 - discreteLaplaceTail(scale, 0) - probabilityOf(0, scale)) < 1e-12);
    assert.ok(Math.abs(probabilityOf(0, scale) - 0.1974) < 5e-5);
    const values = draw(100_000, scale, seededBits(9));
    const measured = values.reduce((sum, z) => sum + z * z, 0) / values.length;
    // Kurtosis 6: the mean of 10⁵ squares has a standard error of 0.7 %.
    assert.ok(Math.abs(measured / variance - 1) < 0.035);
  });

  it('is exact where doubles would round: scales up to 2⁴⁰ and fractions of 2⁵³', () => {
    const scale = noiseScale('test', 1000, 1e-8);
    const values = draw(2000, scale, seededBits(4));
    assert.ok(values.every((z) => Number.isSafeInteger(z)));
    const meanSize = values.reduce((sum, z) => sum + Math.abs(z), 0) / values.length;
    // |Z| is nearly exponential with mean t/s: standard error 2.2 %.
    assert.ok(Math.abs(meanSize / (scale.t / scale.s) - 1) < 0.12);
    const fine = draw(2000, { t: Number.MAX_SAFE_INTEGER, s: Number.MAX_SAFE_INTEGER - 1 }, seededBits(5));
    assert.ok(chiSquareP(fine, { t: 1, s: 1 }) > 1e-4);
  });
});

describe('noiseScale', () => {
  it('is Δ/ε reduced, and never smaller', () => {
    assert.deepEqual(noiseScale('test', 1, 1), { t: 1, s: 1 });
    assert.deepEqual(noiseScale('test', 1000, 0.3), { t: 10_000, s: 3 });
    assert.deepEqual(noiseScale('test', 1, 0.1), { t: 10, s: 1 });
    const property = fc.property(
      fc.integer({ min: 1, max: 0x7fffffff }),
      fc.double({ min: 0.01, max: 100, noNaN: true }),
      (sensitivity, epsilon) => {
        const { t, s } = noiseScale('test', sensitivity, epsilon);
        assert.ok(Number.isSafeInteger(t) && Number.isSafeInteger(s) && s >= 1);
        // t/s ≥ Δ/ε, ε read as its decimal in billionths: compared as integers.
        const billionths = BigInt(Math.ceil(epsilon * 1e9) + 1);
        assert.ok(BigInt(t) * billionths >= BigInt(s) * BigInt(sensitivity) * 1_000_000_000n);
        // ε loses at most 10⁻⁷ of itself; a fraction that did not fit at most 1/s.
        assert.ok(t / s <= (sensitivity / epsilon) * (1 + 2e-7 + 2 / Math.max(s, 1000)));
      },
    );
    fc.assert(property, { seed: 1, numRuns: 300 });
  });

  it('refuses what would answer nothing, and epsilons that are none', () => {
    assert.throws(() => noiseScale('test', 0x7fffffff, 1e-9), { message: /2\^40/ });
    for (const epsilon of [0, -1, Number.NaN, Infinity, 1e-10, 1e7]) {
      assert.throws(() => noiseScale('test', 1, epsilon), {
        code: 'INVALID_ARGUMENT',
        message: /epsilon is/,
      });
    }
  });
});

describe('discreteLaplaceQuantile', () => {
  it('is the least z with so small a tail', () => {
    const property = fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.integer({ min: 1, max: 100 }),
      fc.double({ min: 1e-12, max: 0.999, noNaN: true }),
      (t, s, probability) => {
        const z = discreteLaplaceQuantile({ t, s }, probability);
        assert.ok(discreteLaplaceTail({ t, s }, z) <= probability);
        assert.ok(z === 0 || discreteLaplaceTail({ t, s }, z - 1) > probability);
      },
    );
    fc.assert(property, { seed: 2, numRuns: 300 });
  });
});
