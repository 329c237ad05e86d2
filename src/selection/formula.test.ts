// The formula itself: scores, probabilities, sample sizes, Hölder constants, probes.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createRng } from '../core/rng.ts';
import { gaussianMixture } from '../data/datasets/index.ts';
import { checkDominance } from './dominance.ts';
import { clusterMeans, estimateLambda, globalRatio, heldBackLambda } from './lambda.ts';
import { combineScores } from './multi-model.ts';
import { naiveScores } from './oracle.ts';
import { chooseProbes, probesPerCluster } from './probes.ts';
import { bernsteinDeviation, epsilonForSampleSize, gradientSampleSize, sampleSize } from './sample-size.ts';
import { scoreRows } from './score-rows.ts';
import { mixWithUniform, sensitivityScores } from './sensitivity.ts';
import type { Observations } from './types.ts';
import { exactVariance, floorVarianceBound } from './variance.ts';

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0);

describe('sensitivityScores', () => {
  // Two clusters on a line: {0, 1, 3} around row 0, {10, 12, 16} around row 3.
  const rows = [[0], [1], [3], [10], [12], [16]];
  const labels = Uint32Array.of(0, 0, 0, 1, 1, 1);
  const distances = Float64Array.of(0, 1, 9, 0, 4, 36);
  const centerLosses = [2, 1];

  it('equals the hand-made example for z = 1 and z = 2', () => {
    // z = 1, Λ = 1/2: σ = 2, 2.5, 3.5 | 1, 2, 4; T = 15; Φ = 4 + 8; Φ^Λ = 6.
    const one = sensitivityScores({ labels, distances, centerLosses, lambda: 0.5, power: 1 });
    assert.deepEqual([...one.scores], [2, 2.5, 3.5, 1, 2, 4]);
    assert.deepEqual([one.total, one.phi, one.phiLambda], [15, 12, 6]);
    const p = mixWithUniform(one.scores, 0);
    assert.deepEqual(
      [...p].map((x) => Math.round(x * 15 * 1e12) / 1e12),
      [2, 2.5, 3.5, 1, 2, 4],
    );
    // z = 2, Λ = (1, 1/4): σ = 2, 3, 11 | 1, 2, 10; T = 29; Φ = (10, 40); Φ^Λ = 10 + 10.
    const two = sensitivityScores({ labels, distances, centerLosses, lambda: [1, 0.25], power: 2 });
    assert.deepEqual([...two.scores], [2, 3, 11, 1, 2, 10]);
    assert.deepEqual([two.total, two.phi, two.phiLambda], [29, 50, 20]);
    assert.deepEqual(
      [[...two.clusterPhi], [...two.clusterSizes], [...two.clusterTotals]],
      [
        [10, 40],
        [3, 3],
        [16, 13],
      ],
    );
  });

  it('equals the definition on the embeddings', () => {
    const losses = [2, 9, 9, 1, 9, 9];
    for (const power of [0.5, 1, 1.7, 2, 3]) {
      const naive = naiveScores(rows, labels, [0, 3], losses, 0.3, power);
      const { scores } = sensitivityScores({ labels, distances, centerLosses, lambda: 0.3, power });
      // √, a power and two products: a few roundings.
      scores.forEach((score, e) => {
        assert.ok(Math.abs(score - naive[e]) <= 8 * Number.EPSILON * naive[e]);
      });
    }
  });

  it('counts a row of weight 3 as three rows', () => {
    const u = Float64Array.of(1, 3, 0, 2, 1, 1);
    const weighted = sensitivityScores({ labels, distances, centerLosses, lambda: 1, rowWeights: u });
    const repeated = [0, 1, 1, 1, 3, 3, 4, 5];
    const plain = sensitivityScores({
      labels: Uint32Array.from(repeated, (e) => labels[e]),
      distances: Float64Array.from(repeated, (e) => distances[e]),
      centerLosses,
      lambda: 1,
    });
    assert.equal(weighted.total, plain.total);
    assert.equal(weighted.phi, plain.phi);
    const p = mixWithUniform(weighted.scores, 0.2, u);
    const q = mixWithUniform(plain.scores, 0.2);
    assert.ok(Math.abs(p[1] - 3 * q[1]) < 1e-15);
    assert.equal(p[2], 0);
  });

  it('obeys the scale laws', () => {
    const property = fc.property(
      fc.integer({ min: -8, max: 8 }),
      fc.integer({ min: -8, max: 8 }),
      fc.constantFrom(1, 2),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (i, j, power, alpha) => {
        const a = 2 ** i; // powers of two scale exactly
        const b = 2 ** j;
        const plain = sensitivityScores({ labels, distances, centerLosses, lambda: 0.7, power });
        const stretched = sensitivityScores({
          labels,
          distances: distances.map((d) => a * a * d),
          centerLosses,
          lambda: 0.7 / a ** power,
          power,
        });
        const dearer = sensitivityScores({
          labels,
          distances,
          centerLosses: centerLosses.map((loss) => b * loss),
          lambda: b * 0.7,
          power,
        });
        const p = mixWithUniform(plain.scores, alpha);
        mixWithUniform(stretched.scores, alpha).forEach((x, e) => {
          assert.ok(Math.abs(x - p[e]) < 1e-15);
        });
        mixWithUniform(dearer.scores, alpha).forEach((x, e) => {
          assert.ok(Math.abs(x - p[e]) < 1e-15);
        });
        assert.ok(Math.abs(dearer.total - b * plain.total) <= 1e-14 * dearer.total);
      },
    );
    fc.assert(property, { seed: 1, numRuns: 200 });
  });

  it('names the faulty entry', () => {
    const call = (change: object) => () =>
      sensitivityScores({ labels, distances, centerLosses, lambda: 1, ...change });
    assert.throws(call({ lambda: -1 }), { code: 'INVALID_ARGUMENT', message: /lambda is -1/ });
    assert.throws(call({ lambda: [1, Number.NaN] }), { message: /lambda\[1\] is NaN/ });
    assert.throws(call({ power: 0 }), { message: /power is 0; expected a finite number > 0/ });
    assert.throws(call({ centerLosses: [1, -2] }), { message: /centerLosses\[1\] is -2/ });
    assert.throws(call({ centerLosses: [1] }), {
      message: /labels\[3\] is 1; expected an index below the 1/,
    });
    assert.throws(call({ distances: distances.subarray(1) }), { code: 'SHAPE' });
    assert.throws(() => mixWithUniform([1, Number.POSITIVE_INFINITY], 0), {
      message: /scores\[1\] is Infinity/,
    });
    assert.throws(() => mixWithUniform([1], 1.5), { message: /alpha is 1.5/ });
    assert.throws(() => mixWithUniform([], 0), { message: /at least one row/ });
  });
});

describe('mixWithUniform', () => {
  it('sums to 1 and keeps the floor, for any scores', () => {
    const property = fc.property(
      fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 200 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (scores, alpha) => {
        const p = mixWithUniform(scores, alpha);
        assert.ok(Math.abs(sum(p) - 1) <= 1e-12);
        for (const x of p) assert.ok(x >= (alpha / scores.length) * (1 - 1e-12));
      },
    );
    fc.assert(property, { seed: 2, numRuns: 300 });
  });

  it('is uniform when all scores are 0', () => {
    assert.deepEqual([...mixWithUniform([0, 0, 0, 0], 0)], [0.25, 0.25, 0.25, 0.25]);
  });
});

describe('sampleSize', () => {
  it('gives what the formula gives by hand', () => {
    assert.deepEqual(
      [sampleSize(0.1), sampleSize(0.1, 0.05), sampleSize(0.25, 0.1), sampleSize(0.05, 0.01)],
      [207, 763, 104, 4310],
    );
    assert.equal(gradientSampleSize(0.1, 0.1), 1000);
  });

  it('is the inverse of epsilonForSampleSize', () => {
    const property = fc.property(
      fc.double({ min: 0.01, max: 0.99, noNaN: true }),
      fc.double({ min: 1e-6, max: 0.9, noNaN: true }),
      (epsilon, delta) => {
        const s = sampleSize(epsilon, delta);
        const bought = epsilonForSampleSize(s, delta);
        assert.ok(bought <= epsilon * (1 + 1e-9));
        assert.ok(s === 1 || epsilonForSampleSize(s - 1, delta) > epsilon * (1 - 1e-9));
        // Definition: s·ε² = (2 + 2ε/3)·ln(2/δ).
        assert.ok(Math.abs((s * bought ** 2) / ((2 + (2 * bought) / 3) * Math.log(2 / delta)) - 1) < 1e-12);
      },
    );
    fc.assert(property, { seed: 3, numRuns: 300 });
    assert.ok(
      bernsteinDeviation({ draws: 100, range: 5, total: 1, failureProbability: 0.1 }) <
        5 * epsilonForSampleSize(100),
    );
  });

  it('refuses what is no error and no probability', () => {
    for (const epsilon of [0, 1, -0.1, Number.NaN]) {
      assert.throws(() => sampleSize(epsilon), { code: 'INVALID_ARGUMENT', message: /epsilon is/ });
    }
    for (const delta of [0, 1, 2])
      assert.throws(() => sampleSize(0.1, delta), { message: /failureProbability is/ });
    assert.throws(() => epsilonForSampleSize(0), { message: /size is 0/ });
  });
});

/** Observations of all rows but the representatives. */
function observe(
  labels: Uint32Array,
  distances: Float64Array,
  losses: Float64Array,
  rows: number[],
): Observations {
  return {
    ids: Uint32Array.from(rows),
    clusters: Uint32Array.from(rows, (e) => labels[e]),
    losses: Float64Array.from(rows, (e) => losses[e]),
    distancePowers: Float64Array.from(rows, (e) => distances[e]),
  };
}

describe('Hölder constants', () => {
  const labels = Uint32Array.from({ length: 60 }, (_, e) => e % 3);
  const distances = Float64Array.from({ length: 60 }, (_, e) => (e < 3 ? 0 : ((e * 7) % 11) + 0.5));
  const losses = distances.map((d, e) => (e % 3) + 3 * d); // ℓ = base + 3v
  const rows = Array.from({ length: 57 }, (_, j) => j + 3);
  const centerLosses = Float64Array.of(0, 1, 2);
  const observations = observe(labels, distances, losses, rows);

  it('are exact when losses are base + 3v', () => {
    for (const scope of ['cluster', 'global'] as const) {
      for (const lambda of estimateLambda({ observations, centerLosses, scope }))
        assert.ok(Math.abs(lambda - 3) < 1e-9);
      for (const lambda of heldBackLambda({ observations, centerLosses, scope }))
        assert.ok(Math.abs(lambda - 3) < 1e-9);
    }
    const means = clusterMeans(observations, centerLosses);
    assert.ok(Math.abs(globalRatio(means, [20, 20, 20]) - 3) < 1e-9);
    const [scaled] = estimateLambda({ observations, centerLosses, factor: Math.log(60) });
    assert.ok(Math.abs(scaled - 3 * Math.log(60)) < 1e-9);
  });

  it('skip rows that coincide with their representative: no 0/0, no infinity', () => {
    const same = observe(labels, new Float64Array(60), losses, rows);
    assert.deepEqual([...estimateLambda({ observations: same, centerLosses })], [0, 0, 0]);
    assert.equal(globalRatio(clusterMeans(same, centerLosses), [20, 20, 20]), 0);
    const one = { ...observations, distancePowers: observations.distancePowers.with(0, 0) as Float64Array };
    assert.ok(
      estimateLambda({ observations: one, centerLosses }).every((lambda) => Math.abs(lambda - 3) < 1e-9),
    );
  });

  it('need as many probes as the table says', () => {
    // ⌈ln(100k)/ln 10⌉ for q = 0.9; k = 1000 is exactly 5.
    assert.deepEqual(
      [1, 50, 1000, 1001].map((k) => probesPerCluster(k)),
      [2, 4, 5, 6],
    );
    assert.equal(probesPerCluster(50, 0.5), 13);
    assert.throws(() => probesPerCluster(10, 1), { message: /quantile is 1/ });
  });
});

describe('chooseProbes', () => {
  const labels = Uint32Array.from({ length: 400 }, (_, e) => (e * e) % 7);
  const representatives = Uint32Array.of(0, 1, 3, 399);
  const compact = labels.map((label) => [0, 1, 2, 3, 3, 3, 3][label]);

  it('takes m members of every cluster, never the representative, whatever the order', () => {
    const rng = createRng(4);
    const probes = chooseProbes(compact, representatives, 5, rng);
    assert.equal(new Set(probes).size, probes.length);
    for (let i = 0; i < 4; i++) {
      const available = compact.reduce(
        (count, label, e) => count + (label === i && representatives[i] !== e ? 1 : 0),
        0,
      );
      assert.equal(probes.filter((e) => compact[e] === i).length, Math.min(5, available));
    }
    for (const e of representatives)
      assert.ok(!probes.includes(e) || compact[e] !== representatives.indexOf(e));
    const reversed = chooseProbes(
      compact.toReversed(),
      representatives.map((e) => 399 - e),
      5,
      rng,
      { keyOf: (row) => 399 - row },
    );
    assert.deepEqual(reversed.map((row) => 399 - row).sort(), probes.slice().sort());
  });

  it('takes members equally often (chi-square)', () => {
    const one = new Uint32Array(30);
    const counts = new Float64Array(30);
    const trials = 20_000;
    for (let t = 0; t < trials; t++)
      for (const e of chooseProbes(one, Uint32Array.of(12), 4, createRng(t))) counts[e]++;
    assert.equal(counts[12], 0);
    const expected = (4 * trials) / 29;
    // Without repeats the statistic is below χ²₂₈; its 1 − 1e-6 quantile is 83.
    assert.ok(counts.reduce((s, c, e) => s + (e === 12 ? 0 : (c - expected) ** 2 / expected), 0) < 83);
  });
});

describe('scoreRows', () => {
  it('obeys T ≤ Σℓ + 2Φ^Λ and ℓ ≤ σ on well-behaved losses', () => {
    for (let seed = 0; seed < 20; seed++) {
      const mixture = gaussianMixture({ rows: 400, cols: 4, clusters: 12, seed });
      const { losses, labels, representatives, distances, lambda } = mixture;
      const centerLosses = Float64Array.from(representatives, (e) => losses[e]);
      const model = scoreRows({ labels, distances, centerLosses, mode: 'paper', lambda, power: 1 });
      assert.ok(model.total <= sum(losses) + 2 * model.phiLambda + 1e-9);
      model.scores.forEach((score, e) => {
        assert.ok(losses[e] <= score * (1 + 1e-12));
      });
      assert.equal(model.alpha, 0);
    }
  });

  it('gives both terms equal mass in balanced mode', () => {
    const { losses, labels, representatives, distances } = gaussianMixture({
      rows: 300,
      cols: 4,
      clusters: 8,
    });
    const centerLosses = Float64Array.from(representatives, (e) => losses[e]);
    const { total, phiLambda } = scoreRows({ labels, distances, centerLosses, mode: 'balanced' });
    assert.ok(Math.abs(total - 2 * phiLambda) < 1e-9 * total);
  });

  it('uses cluster means and one ratio in robust mode', () => {
    const labels = Uint32Array.of(0, 0, 0, 0);
    const distances = Float64Array.of(0, 1, 2, 5);
    const observations = observe(labels, distances, Float64Array.of(1, 2, 6, 0), [1, 2]);
    const model = scoreRows({ labels, distances, centerLosses: Float64Array.of(1), observations });
    // ŷ = (1 + 2 + 6)/3 = 3; λ = 4·((1 + 5)/2) / 4·((1 + 2)/2) = 2.
    assert.deepEqual([...model.scores], [3, 5, 7, 13]);
    assert.equal(model.alpha, 0.2);
    assert.throws(() => scoreRows({ labels, distances, centerLosses: Float64Array.of(1) }), {
      message: /no observed losses; expected probes/,
    });
  });
});

describe('a cold cluster with hidden losses', () => {
  // 500 rows at distances in (0, 1], representative loss 0, five rows of loss 10 nobody can tell from outside.
  const n = 500;
  const rng = createRng(11);
  const labels = new Uint32Array(n);
  const distances = Float64Array.from({ length: n }, (_, e) => (e === 0 ? 0 : 0.05 + rng.next()));
  const losses = new Float64Array(n);
  for (const e of [50, 150, 250, 350, 450]) losses[e] = 10;
  const centerLosses = Float64Array.of(0);

  it('keeps the second moment under the floor, whatever the probes saw', () => {
    for (const alpha of [0.1, 0.2, 0.5]) {
      for (const seen of [
        [1, 2, 3, 4],
        [1, 2, 50, 4],
        [50, 150, 250, 350],
      ]) {
        const observations = observe(labels, distances, losses, seen);
        const { probabilities } = scoreRows({ labels, distances, centerLosses, observations, alpha });
        const bound = floorVarianceBound(losses, alpha, 40);
        assert.ok(exactVariance(losses, probabilities, 40) <= bound * (1 + 1e-12));
      }
    }
    // The bound is tight: p as small as it may be at the losses, 500·5·100/0.2 − 50².
    const p = new Float64Array(n).fill(0.8 / 495 + 0.2 / n);
    for (const e of [50, 150, 250, 350, 450]) p[e] = 0.2 / n;
    const slack = floorVarianceBound(losses, 0.2, 1) / exactVariance(losses, p, 1);
    assert.ok(slack >= 1 && slack < 1.001, `slack ${slack}`);
  });

  it('is reported by the held-back check of the paper mode when a probe hits a hidden row', () => {
    const check = (seen: number[]) => {
      const observations = observe(labels, distances, losses, seen);
      const model = scoreRows({ labels, distances, centerLosses, observations, mode: 'paper' });
      return checkDominance(observations, centerLosses, model, { given: false });
    };
    assert.deepEqual(check([1, 2, 3, 4]).above, 0);
    assert.deepEqual(check([1, 2, 150, 4]), { checked: 4, above: 1, clusters: [0] });
  });
});

describe('combineScores', () => {
  it('bounds every model by its share', () => {
    const a = [1, 2, 3, 4];
    const b = [400, 100, 0, 0];
    const max = combineScores([a, b]);
    assert.deepEqual([...max], [0.8, 0.2, 0.3, 0.4]);
    assert.deepEqual(
      [...combineScores([a, b], 'sum')].map((x) => Math.round(1e12 * x) / 1e12),
      [0.9, 0.4, 0.3, 0.4],
    );
    assert.ok(sum(max) <= 2);
    assert.throws(() => combineScores([a, [1]]), { code: 'SHAPE' });
  });
});
