import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Matrix32, matrixSource } from '../../core/matrix.ts';
import { prefixSum, searchPrefix } from '../../core/prefix-sum.ts';
import { createRng } from '../../core/rng.ts';
import { chiSquarePValue } from '../../core/statistics/index.ts';
import { gaussianMixture } from '../../data/datasets/index.ts';
import { kMeans } from '../k-means.ts';
import { oracleAssign } from '../oracle.ts';
import type { SeedingMethod } from '../types.ts';
import { SEEDING_METHODS, type SeedCentersOptions, seedCenters } from './seed-centers.ts';

/** Four points on a line, all gaps different. */
const four: Matrix32 = { data: Float32Array.of(0, 1, 3, 7), rows: 4, cols: 1 };

/** Probability of each next row given those chosen: w · D^z, normalised. */
function nextProbabilities(chosen: number[], power: number, weights: number[]): number[] {
  const masses = weights.map((w, i) => {
    const distance = Math.min(...chosen.map((c) => Math.abs(four.data[i] - four.data[c])));
    return chosen.length === 0 ? w : w * distance ** power;
  });
  const total = masses.reduce((sum, mass) => sum + mass, 0);
  return masses.map((mass) => mass / total);
}

/** Counts how often each sequence of rows comes out, and tests it against its probability. */
async function pValue(
  options: Omit<SeedCentersOptions, 'seed'>,
  probability: (sequence: number[]) => number,
  runs: number,
): Promise<number> {
  const observed = new Map<string, number>();
  for (let seed = 0; seed < runs; seed++) {
    const { indices } = await seedCenters(four, { ...options, seed });
    const key = indices!.join();
    observed.set(key, (observed.get(key) ?? 0) + 1);
  }
  let statistic = 0;
  let cells = 0;
  const visit = (sequence: number[]): void => {
    if (sequence.length < options.k) {
      for (let i = 0; i < 4; i++) visit([...sequence, i]);
      return;
    }
    const expected = runs * probability(sequence);
    const count = observed.get(sequence.join()) ?? 0;
    if (expected === 0) assert.equal(count, 0, `${sequence} is impossible`);
    else {
      statistic += (count - expected) ** 2 / expected;
      cells++;
    }
  };
  visit([]);
  return chiSquarePValue(statistic, cells - 1);
}

function product(sequence: number[], power: number, weights: number[]): number {
  return sequence.reduce((p, row, i) => p * nextProbabilities(sequence.slice(0, i), power, weights)[row], 1);
}

describe('the distribution of seeds', () => {
  // Fixed seeds; a right program would fail for one choice of seeds in a million. The χ² approximation is good down to
  // expected counts of a few, which the number of runs ensures.
  const ones = [1, 1, 1, 1];

  it('k-means++: first two centers in closed form', async () => {
    const p = await pValue({ k: 2, method: 'k-means++' }, (s) => product(s, 2, ones), 3000);
    assert.ok(p > 1e-6, `p = ${p}`);
  });

  it('k-means++: three centers of which two come from one batch, thinned', async () => {
    const p = await pValue({ k: 3, method: 'k-means++' }, (s) => product(s, 2, ones), 6000);
    assert.ok(p > 1e-6, `p = ${p}`);
  });

  it('k-means++: weights and power 1', async () => {
    const weights = [3, 1, 0, 2];
    const options = { k: 2, method: 'k-means++' as const, power: 1, weights: Float64Array.from(weights) };
    const p = await pValue(options, (s) => product(s, 1, weights), 3000);
    assert.ok(p > 1e-6, `p = ${p}`);
  });

  it('greedy: the better of two draws', async () => {
    const potential = (centers: number[]) =>
      [...four.data].reduce((sum, x) => sum + Math.min(...centers.map((c) => (x - four.data[c]) ** 2)), 0);
    const probability = ([first, second]: number[]) => {
      const draw = nextProbabilities([first], 2, ones);
      // Of 2 + ⌊ln 2⌋ = 2 draws: both this row, or one of them beside a worse one, or the first beside an equal one.
      const beside = [0, 1, 2, 3].map((i) => {
        if (i === second) return draw[i];
        const difference = potential([first, i]) - potential([first, second]);
        return difference > 0 ? 2 * draw[i] : difference === 0 ? draw[i] : 0;
      });
      return (draw[second] * beside.reduce((sum, x) => sum + x, 0)) / 4;
    };
    const p = await pValue({ k: 2, method: 'greedy' }, probability, 3000);
    assert.ok(p > 1e-6, `p = ${p}`);
  });

  it('afk-mc2: a chain of 200 steps has all but forgotten its proposal', async () => {
    // The chain's law is within (1 − 1/γ)^199 of D², where γ = 2 bounds D²/q for the second center: 2⁻¹⁹⁹.
    const p = await pValue({ k: 2, method: 'afk-mc2' }, (s) => product(s, 2, ones), 3000);
    assert.ok(p > 1e-6, `p = ${p}`);
  });

  it('random: all pairs alike, or by weight without replacement', async () => {
    const even = await pValue({ k: 2, method: 'random' }, ([a, b]) => (a === b ? 0 : 1 / 12), 3000);
    assert.ok(even > 1e-6, `p = ${even}`);
    const weights = [3, 1, 0, 2];
    const options = { k: 2, method: 'random' as const, weights: Float64Array.from(weights) };
    const byWeight = ([a, b]: number[]) => (a === b ? 0 : (weights[a] / 6) * (weights[b] / (6 - weights[a])));
    const weighted = await pValue(options, byWeight, 3000);
    assert.ok(weighted > 1e-6, `p = ${weighted}`);
  });
});

describe('seedCenters', () => {
  const { points } = gaussianMixture({ rows: 500, cols: 4, clusters: 10, spread: 4, seed: 2 });

  for (const method of SEEDING_METHODS) {
    it(`${method}: k distinct rows, the same from a source, none of weight 0`, async () => {
      for (const k of [1, 2, 30, 200]) {
        const weights = Float64Array.from({ length: 500 }, (_, i) => Number(i % 2 === 0));
        const options = { k, method, seed: 4, weights };
        const seeded = await seedCenters(points, options);
        assert.equal(seeded.centers.rows, k);
        assert.deepEqual(await seedCenters(matrixSource(points), options), seeded);
        const { indices, centers } = seeded;
        if (method === 'k-means||') {
          assert.equal(indices, undefined);
          continue;
        }
        assert.equal(new Set(indices).size, k);
        indices!.forEach((row, j) => {
          assert.equal(row % 2, 0);
          assert.deepEqual(centers.data.slice(4 * j, 4 * j + 4), points.data.slice(4 * row, 4 * row + 4));
        });
      }
    });

    it(`${method}: power 1 and an offset of 4096 leave distinct centers`, async () => {
      const moved = { ...points, data: points.data.map((x) => 4096 + x / 1024) };
      const { centers } = await seedCenters(moved, { k: 25, method, power: 1 });
      const rows = new Set(Array.from({ length: 25 }, (_, j) => centers.data.slice(4 * j, 4 * j + 4).join()));
      assert.equal(rows.size, 25);
    });
  }

  it('refuses bad options', async () => {
    const invalid = (message: RegExp) => ({ code: 'INVALID_ARGUMENT', message });
    await assert.rejects(seedCenters(points, { k: 0 }), invalid(/k is 0/));
    await assert.rejects(seedCenters(points, { k: 2, power: 0 }), invalid(/power is 0/));
    await assert.rejects(seedCenters(points, { k: 2, method: 'x' as 'greedy' }), invalid(/method is "x"/));
    const nan = { data: Float32Array.of(1, Number.NaN), rows: 2, cols: 1 };
    await assert.rejects(seedCenters(nan, { k: 1 }), invalid(/row 1, column 0/));
  });

  it('stops when cancelled', async () => {
    const reason = new Error('enough');
    for (const method of SEEDING_METHODS) {
      await assert.rejects(seedCenters(points, { k: 5, method, signal: AbortSignal.abort(reason) }), reason);
    }
  });
});

describe('the quality of seeds', () => {
  const { points } = gaussianMixture({ rows: 1500, cols: 8, clusters: 20, seed: 3 });

  const points8 = Array.from({ length: 1500 }, (_, i) => points.data.slice(8 * i, 8 * i + 8));
  const gap = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, p) => sum + (x - b[p]) ** 2, 0);

  async function finalInertias(init: SeedingMethod, k: number, seeds: number): Promise<number[]> {
    const all: number[] = [];
    for (let seed = 0; seed < seeds; seed++) all.push((await kMeans(points, { k, init, seed })).inertia);
    return all.sort((a, b) => a - b);
  }
  const median = (sorted: number[]) => (sorted[sorted.length >> 1] + sorted[(sorted.length - 1) >> 1]) / 2;

  it('greedy and k-means|| end within 1.25 of the median of ten k-means++ runs', async () => {
    const reference = median(await finalInertias('k-means++', 20, 10));
    for (const init of ['greedy', 'k-means||'] as const) {
      for (const inertia of await finalInertias(init, 20, 5)) assert.ok(inertia <= 1.25 * reference, init);
    }
  });

  it('afk-mc2 ends within 1.1 of k-means++', async () => {
    // With twice as many centers as components hardly any run misses one, so that medians of ten runs are steady.
    const reference = median(await finalInertias('k-means++', 40, 10));
    const found = median(await finalInertias('afk-mc2', 40, 10));
    assert.ok(found <= 1.1 * reference, `${found} against ${reference}`);
  });

  it('greedy chooses the same rows whether or not all lie at 4096', async () => {
    // Multiples of 1/1024 up to 8 or so stay exact when moved; products of rows not centred would be off by more than D².
    const near = { ...points, data: points.data.map((x) => Math.round(16 * x) / 1024) };
    const far = { ...near, data: near.data.map((x) => 4096 + x) };
    const options = { k: 60, seed: 1 };
    assert.deepEqual((await seedCenters(far, options)).indices, (await seedCenters(near, options)).indices);
  });

  it('greedy takes each center in before it chooses the next of a batch', async () => {
    // By the book: one pass per center. The ratio below is 1.002; blind to the batch's own centers it would be 1.016.
    const k = 100;
    const trials = 2 + Math.floor(Math.log(k));
    let batched = 0;
    let byTheBook = 0;
    for (let seed = 0; seed < 10; seed++) {
      const { centers } = await seedCenters(points, { k, seed });
      batched += oracleAssign(points, centers.data).distances.reduce((sum, x) => sum + x, 0);
      const rng = createRng(seed).fork('by the book');
      let distances = points8.map((row) => gap(row, points8[rng.integer(1500)]));
      for (let j = 1; j < k; j++) {
        const prefix = prefixSum(distances);
        const options = Array.from({ length: trials }, () => {
          const chosen = points8[searchPrefix(prefix, rng.next() * prefix[prefix.length - 1])];
          return distances.map((distance, i) => Math.min(distance, gap(points8[i], chosen)));
        });
        const total = (values: number[]) => values.reduce((sum, x) => sum + x, 0);
        distances = options.reduce((best, option) => (total(option) < total(best) ? option : best));
      }
      byTheBook += distances.reduce((sum, x) => sum + x, 0);
    }
    assert.ok(batched / byTheBook < 1.01, `ratio ${batched / byTheBook}`);
  });

  it('greedy potentials are those of the oracle: its seeds beat plain ones', async () => {
    const potential = async (method: SeedingMethod, seed: number) => {
      const { centers } = await seedCenters(points, { k: 20, method, seed });
      return oracleAssign(points, centers.data).distances.reduce((sum, x) => sum + x, 0);
    };
    let wins = 0;
    for (let seed = 0; seed < 10; seed++) {
      if ((await potential('greedy', seed)) < (await potential('k-means++', seed))) wins++;
    }
    // If the choice among draws were random, 9 or 10 wins in 10 would have probability 11/1024.
    assert.ok(wins >= 9, `${wins} of 10`);
  });
});
