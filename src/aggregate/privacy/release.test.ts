import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createRng } from '../../core/rng.ts';
import { type Bags, bagMeans, bagsFromLists } from '../bags/bags.ts';
import { noiseScale } from './discrete-laplace.ts';
import { labelGrid, stepsOf } from './label-grid.ts';
import { seededBits } from './random-bits.ts';
import { type ReleaseOptions, releaseBagMeans, releaseWith } from './release.ts';
import { simulateBagMeans } from './simulate.ts';

/** `count` bags of `size` samples each. */
function equalBags(count: number, size: number): Bags {
  const members = Uint32Array.from({ length: count * size }, (_, i) => i);
  return {
    samples: count * size,
    members,
    offsets: Uint32Array.from({ length: count + 1 }, (_, a) => a * size),
  };
}

function randomLabels(count: number, seed: number): Float64Array {
  const rng = createRng(seed);
  return Float64Array.from({ length: count }, () => 3 * rng.normal());
}

/** Variance of the noise in sums of one label, as a multiple of 2((U − L)/ε)². `release` gives the means of bags of one label 0. */
function relativeVariance(
  means: Float64Array,
  [low, high]: readonly [number, number],
  epsilon: number,
): number {
  const expected = 2 * ((high - low) / epsilon) ** 2;
  return means.reduce((sum, mean) => sum + mean ** 2, 0) / means.length / expected;
}

describe('releaseBagMeans', () => {
  const bounds = [-2, 2] as const;

  it('adds noise of variance 2((U − L)/ε)² to sums, and the mutant with half the scale fails the same check', () => {
    const bags = equalBags(20_000, 1);
    const labels = new Float64Array(20_000);
    for (const epsilon of [0.5, 2]) {
      // Kurtosis 6 gives the mean of 20 000 squares a standard error of 1.6 %; 4 % holds for this seed, and 12 % for secret bits but in 1e-7.
      const seeded = simulateBagMeans(labels, bags, { bounds, epsilon, seed: 5 }).value;
      assert.ok(Math.abs(relativeVariance(seeded.means, bounds, epsilon) - 1) < 0.04);
      const secret = releaseBagMeans(labels, bags, { bounds, epsilon }).value;
      assert.ok(Math.abs(relativeVariance(secret.means, bounds, epsilon) - 1) < 0.12);
      // Scale (U − L)/(2ε): what a mean would have whose sensitivity is taken for half of what it is.
      const grid = labelGrid('test', { bounds });
      const scale = noiseScale('test', grid.sensitivity, 2 * epsilon);
      const mutant = releaseWith(seededBits(5), labels, bags, { grid, scale });
      assert.ok(Math.abs(relativeVariance(mutant.means, bounds, epsilon) - 1) > 0.12);
    }
  });

  it('has noise of variance 2Δ²/(s²ε²) in means, for every size s', () => {
    for (const [seed, size] of [1, 3, 10].entries()) {
      const bags = equalBags(20_000, size);
      const { means, noiseVariance } = simulateBagMeans(new Float64Array(bags.samples), bags, {
        ...{ bounds: [0, 1], epsilon: 1, seed: seed + 10 },
      }).value;
      const expected = 2 / size ** 2;
      const measured = means.reduce((sum, mean) => sum + mean ** 2, 0) / means.length;
      assert.ok(Math.abs(measured / expected - 1) < 0.04, `size ${size}: ${measured / expected}`);
      assert.ok(Math.abs(noiseVariance[0] / expected - 1) < 1e-6);
    }
  });

  it('answers on the lattice of whole steps over the size, whatever the labels', () => {
    const bags = bagsFromLists([[0, 1, 2], [3, 4, 5, 6, 7], [9]], 10);
    const { value } = releaseBagMeans(randomLabels(10, 1), bags, { bounds, epsilon: 1, grid: 0.25 });
    value.means.forEach((mean, a) => {
      const steps = ((mean - bounds[0]) * (bags.offsets[a + 1] - bags.offsets[a])) / 0.25;
      assert.ok(Math.abs(steps - Math.round(steps)) < 1e-9);
    });
  });

  it('keeps its error bound, with just the chance it states', () => {
    const bags = equalBags(40, 5);
    const labels = randomLabels(bags.samples, 2);
    const clipped = bagMeans(
      labels.map((y) => Math.min(Math.max(y, -2), 2)),
      bags,
    );
    let failures = 0;
    let stated = 0;
    const runs = 400;
    for (let run = 0; run < runs; run++) {
      const { value, certificate } = releaseBagMeans(labels, bags, {
        ...{ bounds, epsilon: 1, grid: 0.5, failureProbability: 0.2 },
      });
      stated = certificate.bound.failureProbability;
      assert.ok(stated <= 0.2 && stated > 0.05);
      assert.equal(certificate.bound.value, Math.max(...value.errorBounds));
      if (value.means.some((mean, a) => Math.abs(mean - clipped[a]) > value.errorBounds[a] + 1e-12))
        failures++;
    }
    // Rounding spends a part of the bound, so fewer may fail, never more: 5.2 standard errors, false-failure rate below 1e-6.
    assert.ok(
      failures <= runs * stated + 5.2 * Math.sqrt(runs * stated * (1 - stated)),
      `${failures} of ${runs}, stated ${stated}`,
    );
    assert.ok(failures >= 5, `${failures}`);
  });

  it('does not take the same noise twice', () => {
    const bags = equalBags(50, 2);
    const options = { bounds, epsilon: 1 };
    const labels = new Float64Array(100);
    assert.notDeepEqual(
      releaseBagMeans(labels, bags, options).value.means,
      releaseBagMeans(labels, bags, options).value.means,
    );
  });

  it('refuses seeds, bounds taken from data, no privacy, and labels that are none', () => {
    const bags = equalBags(3, 2);
    const labels = new Float64Array(6);
    const bad = (options: object, message: RegExp) =>
      assert.throws(
        () => releaseBagMeans(labels, bags, { bounds, epsilon: 1, ...options } as ReleaseOptions),
        {
          ...{ code: 'INVALID_ARGUMENT', message },
        },
      );
    bad({ seed: 1 }, /options hold a seed/);
    bad({ bounds: 'auto' }, /bounds is "auto"; expected two finite numbers/);
    bad({ bounds: [1, 1] }, /expected L < U/);
    bad({ bounds: [0, Number.NaN] }, /expected two finite numbers/);
    bad({ bounds: [-Number.MAX_VALUE, Number.MAX_VALUE] }, /finite distance/);
    bad({ epsilon: Infinity }, /epsilon is Infinity/);
    bad({ epsilon: 0 }, /epsilon is 0/);
    bad({ grid: 0 }, /grid is 0/);
    bad({ grid: 9 }, /grid is 9/);
    bad({ grid: 1e-12 }, /grid is 1e-12/);
    bad({ failureProbability: 1 }, /failureProbability/);
    labels[4] = Number.NaN;
    bad({}, /labels\[4\] is NaN/);
    assert.throws(() => releaseBagMeans(new Float64Array(5), bags, { bounds, epsilon: 1 }), {
      code: 'SHAPE',
    });
    const overlapping = { ...bags, members: Uint32Array.of(0, 1, 1, 2, 3, 5) };
    assert.throws(
      () => releaseBagMeans(new Float64Array(6), overlapping, { bounds, epsilon: 1 }),
      /sample 1 is in bags 0 and 1/,
    );
  });

  it('cannot be taken for a simulation, nor a simulation for it', () => {
    const bags = equalBags(3, 2);
    const secret = releaseBagMeans(new Float64Array(6), bags, { bounds, epsilon: 6 });
    const simulated = simulateBagMeans(new Float64Array(6), bags, { bounds, epsilon: 6, seed: 1 });
    assert.equal(secret.value.private, true);
    assert.equal(simulated.value.private, false);
    // @ts-expect-error: a simulated release is no private one
    const wrong: typeof secret = simulated;
    assert.match(wrong.certificate.statement, /^NOT private/);
    assert.match(secret.certificate.statement, /^ε-label-DP with ε = 6/);
    assert.match(secret.certificate.warnings.join(), /protects little/);
    assert.match(simulated.certificate.warnings.join(), /can take it off/);
  });
});

describe('label grid', () => {
  it('keeps every clipped label within the sensitivity, for any bounds and grid', () => {
    const number = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    const property = fc.property(
      number,
      number,
      fc.double({ min: 0.001, max: 0.999, noNaN: true }),
      fc.array(number),
      (a, b, share, labels) => {
        const bounds = [Math.min(a, b), Math.max(a, b)] as const;
        fc.pre(bounds[1] - bounds[0] > 1e-6);
        const grid = labelGrid('test', { bounds, grid: (bounds[1] - bounds[0]) * share });
        for (const label of [...labels, ...bounds]) {
          const steps = stepsOf(grid, label);
          assert.ok(Number.isInteger(steps) && steps >= 0 && steps <= grid.sensitivity);
          const clipped = Math.min(Math.max(label, grid.low), grid.high);
          assert.ok(Math.abs(grid.low + steps * grid.step - clipped) <= grid.step * (0.5 + 1e-9));
        }
        assert.equal(stepsOf(grid, bounds[1]), grid.sensitivity);
      },
    );
    fc.assert(property, { seed: 1, numRuns: 300 });
  });

  it('takes decimals for what they mean', () => {
    assert.equal(labelGrid('test', { bounds: [0, 0.3], grid: 0.1 }).sensitivity, 3);
    assert.equal(labelGrid('test', { bounds: [0, 1] }).sensitivity, 1000);
    assert.equal(labelGrid('test', { bounds: [0, 1], grid: 1 }).sensitivity, 1);
  });
});
