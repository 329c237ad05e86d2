import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng } from '../../core/rng.ts';
import { chiSquarePValue } from '../../core/statistics/index.ts';
import { plantedStream } from '../../data/datasets/index.ts';
import { createCache } from '../create-cache.ts';
import { oracleAnswer } from '../oracle.ts';
import { plantedRetrieval } from '../reproduce/retrieval-stream.ts';
import type { SubGenCache, SubGenOptions } from './subgen.ts';

type Options = Omit<SubGenOptions, 'policy'>;

function cacheOf(dim: number, options: Options): SubGenCache {
  const shape = { heads: 1, keyHeads: 1, dim, valueDim: dim, scale: 1 };
  return createCache(shape, { policy: 'subgen', ...options }) as SubGenCache;
}

/** Numerator and denominator of one query. */
async function partsOf(cache: SubGenCache, query: Float32Array): Promise<{ z: number[]; tau: number }> {
  const { output, lse } = await cache.attend(query);
  return { z: Array.from(output, (x) => x * Math.exp(lse[0])), tau: Math.exp(lse[0]) };
}

describe('subgen', () => {
  const keys = Float32Array.of(0.1, 0.2, 0.15, 0.25, 1, -1, 0.9, -1.1, 0.12, 0.1, -2, 0);
  const values = Float32Array.of(1, 0, 0, 2, -1, 1, 3, 0.5, 0.2, 0.1, -1, -1);
  const query = Float32Array.of(0.7, -0.4);

  it('estimates numerator and denominator without bias, at every prefix', async () => {
    const seeds = 20_000;
    for (const tokens of [4, 6]) {
      const exact = { z: [0, 0], tau: 0 };
      for (let j = 0; j < tokens; j++) {
        const mass = Math.exp(query[0] * keys[2 * j] + query[1] * keys[2 * j + 1]);
        exact.tau += mass;
        for (const c of [0, 1]) exact.z[c] += mass * values[2 * j + c];
      }
      const sums = [0, 0, 0];
      const squares = [0, 0, 0];
      for (let seed = 0; seed < seeds; seed++) {
        const cache = cacheOf(2, { delta: 0.5, clusterSamples: 2, valueSamples: 3, seed });
        await cache.append(keys.subarray(0, 2 * tokens), values.subarray(0, 2 * tokens));
        const { z, tau } = await partsOf(cache, query);
        [...z, tau].forEach((x, i) => {
          sums[i] += x;
          squares[i] += x * x;
        });
      }
      [...exact.z, exact.tau].forEach((expected, i) => {
        const mean = sums[i] / seeds;
        const error = Math.sqrt((squares[i] / seeds - mean * mean) / seeds);
        // 5.5 standard errors and float32 rounding: six figures fail by chance with probability 2e-7.
        assert.ok(
          Math.abs(mean - expected) <= 5.5 * error + 1e-6,
          `${i} at ${tokens}: ${mean} ± ${error}; expected ${expected}`,
        );
      });
    }
  });

  it('holds tokens in slots as often as ‖v‖² says', async () => {
    const norms = Array.from({ length: 6 }, (_, j) => values[2 * j] ** 2 + values[2 * j + 1] ** 2);
    const mu = norms.reduce((a, b) => a + b, 0);
    const counts = new Array(6).fill(0);
    const seeds = 20_000;
    for (let seed = 0; seed < seeds; seed++) {
      const cache = cacheOf(2, { delta: 0, clusterSamples: 1, valueSamples: 1, seed });
      await cache.append(keys, values);
      const z = (await partsOf(cache, new Float32Array(2))).z;
      // With q = 0 the numerator is μ v / ‖v‖² of the one token held.
      counts[
        norms.findIndex(
          (norm, j) =>
            Math.abs((mu * values[2 * j]) / norm - z[0]) < 1e-4 &&
            Math.abs((mu * values[2 * j + 1]) / norm - z[1]) < 1e-4,
        )
      ]++;
    }
    const chi = norms.reduce(
      (sum, norm, j) => sum + (counts[j] - (seeds * norm) / mu) ** 2 / ((seeds * norm) / mu),
      0,
    );
    assert.ok(chiSquarePValue(chi, 5) > 1e-6, `${counts}, χ² ${chi}`);
  });

  it('knows the denominator exactly where every key is a cluster, or all keys are alike', async () => {
    const apart = cacheOf(2, { delta: 0, clusterSamples: 3 });
    await apart.append(keys, values);
    let exact = 0;
    for (let j = 0; j < 6; j++) exact += Math.exp(query[0] * keys[2 * j] + query[1] * keys[2 * j + 1]);
    const { tau } = await partsOf(apart, query);
    assert.ok(Math.abs(tau / exact - 1) <= 1e-6, `${tau}; expected ${exact}`);
    assert.equal(apart.clusters(0), 6);
    const alike = cacheOf(2, { delta: 0 });
    const same = new Float32Array(200).map((_, i) => (i % 2 ? 0.3 : -0.2));
    await alike.append(same, same);
    const one = Math.exp(query[0] * -0.2 + query[1] * 0.3);
    assert.ok(Math.abs((await partsOf(alike, query)).tau / (100 * one) - 1) <= 1e-6);
    assert.equal(alike.clusters(0), 1);
  });

  it('narrows as 1/√t, its slots being independent', async () => {
    const { keys: many, values: some } = plantedStream({
      rows: 60,
      dim: 4,
      clusters: 1,
      noise: 1.5,
      seed: 3,
    });
    const query = Float32Array.of(0.4, -0.3, 0.2, 0.15);
    let exact = 0;
    for (let j = 0; j < 60; j++)
      exact += Math.exp(query.reduce((sum, x, p) => sum + x * many.data[4 * j + p], 0));
    const runs = 2500;
    const momentsOf = async (clusterSamples: number) => {
      const ratios: number[] = [];
      for (let seed = 0; seed < runs; seed++) {
        const cache = cacheOf(4, { delta: Infinity, clusterSamples, valueSamples: 1, seed });
        await cache.append(many.data, some.data);
        ratios.push((await partsOf(cache, query)).tau / exact);
      }
      const mean = ratios.reduce((sum, x) => sum + x, 0) / runs;
      const moment = (power: number) => ratios.reduce((sum, x) => sum + (x - mean) ** power, 0) / runs;
      return { mean, variance: moment(2), kurtosis: moment(4) / moment(2) ** 2 };
    };
    const [one, many16] = [await momentsOf(1), await momentsOf(16)];
    // One cluster is a uniform sample: its mean is the exact sum, to 5.5 standard errors.
    for (const { mean, variance } of [one, many16])
      assert.ok(Math.abs(mean - 1) <= 5.5 * Math.sqrt(variance / runs), `${mean}`);
    // ln of a variance has standard error √((kurtosis − 1) / runs): a ratio of two that is off by a quarter is off by 5 of them, a chance of 1e-6.
    const error = Math.sqrt((one.kurtosis + many16.kurtosis - 2) / runs);
    assert.ok(5 * error <= Math.log(1.25), `${error}`);
    const ratio = one.variance / many16.variance;
    assert.ok(ratio > 12 && ratio < 20, `${ratio}`);
  });

  it('counts the clusters of a clustered stream, and every key of one that has none', async () => {
    let bytes = 0;
    for (const rows of [500, 1000, 4000, 20_000]) {
      const stream = plantedStream({ rows, seed: 4 });
      const cache = cacheOf(32, { delta: 1, valueSamples: 32 });
      await cache.append(stream.keys.data, stream.values.data);
      assert.equal(cache.clusters(0), 16);
      if (bytes > 0) assert.ok(cache.bytes().total <= 1.01 * bytes, 'memory does not grow with the stream');
      bytes = cache.bytes().total;
    }
    const rng = createRng(1);
    const noise = cacheOf(32, { delta: 1, valueSamples: 1 });
    const normal = Float32Array.from({ length: 500 * 32 }, () => rng.normal());
    for (const tokens of [500, 1000, 1500]) {
      await noise.append(
        normal.map(() => rng.normal()),
        normal,
      );
      assert.equal(noise.clusters(0), tokens);
    }
  });

  it('follows the error law of its theorem', async () => {
    const dim = 32;
    const stream = plantedStream({ rows: 2000, dim, seed: 5 });
    const rng = createRng(6);
    const queries = Array.from({ length: 6 }, () => {
      const q = Float32Array.from({ length: dim }, () => rng.normal());
      const norm = Math.sqrt(q.reduce((sum, x) => sum + x * x, 0));
      return q.map((x) => (2 * x) / norm);
    });
    const shape = { heads: 1, keyHeads: 1, dim, valueDim: dim, scale: 1, storage: 'float32' as const };
    const all = { keys: stream.keys.data, values: stream.values.data, queries: stream.keys.data };
    const exact = queries.map((query) => oracleAnswer(shape, all, 2000, 0, query));
    const errorAt = async (valueSamples: number, clusterSamples: number, seeds: number) => {
      let [value, mass] = [0, 0];
      for (let seed = 0; seed < seeds; seed++) {
        const cache = cacheOf(dim, { delta: 1, clusterSamples, valueSamples, seed });
        await cache.append(all.keys, all.values);
        for (const [i, query] of queries.entries()) {
          const { output, lse } = await cache.attend(query);
          value +=
            Math.sqrt(output.reduce((sum, x, c) => sum + (x - exact[i].output[c]) ** 2, 0)) / (6 * seeds);
          mass += Math.abs(Math.exp(lse[0] - exact[i].lse) - 1) / (6 * seeds);
        }
      }
      return { value, mass };
    };
    const few = await errorAt(32, 4, 24);
    const many = await errorAt(512, 4, 24);
    // s from 32 to 512 is four doublings: −0.5 each in theory, while the floor that t sets is far. From one list of seeds to another the slope moves by 0.012.
    const slope = Math.log2(many.value / few.value) / 4;
    assert.ok(slope < -0.4 && slope > -0.6, `slope ${slope}`);
    // By 0.022 here: five of these are a chance of 6e-7.
    const massSlope = Math.log2((await errorAt(1, 16, 150)).mass / (await errorAt(1, 1, 150)).mass) / 4;
    assert.ok(massSlope < -0.39 && massSlope > -0.61, `slope ${massSlope}`);
  });

  it('gives 0 where all values are 0, and an average where it normalises itself', async () => {
    const zeros = cacheOf(2, { delta: 1 });
    await zeros.append(keys, new Float32Array(12));
    assert.deepEqual([...(await zeros.attend(query)).output], [0, 0]);
    const convex = cacheOf(2, { delta: 0.5, clusterSamples: 2, selfNormalised: true });
    await convex.append(keys, new Float32Array(12).fill(2));
    assert.ok((await convex.attend(query)).output.every((x) => Math.abs(x - 2) <= 1e-6));
  });

  it('misses a needle by value samples, and has it exactly where clusters give the numerator too', async () => {
    const { shape, stream, needleQuery } = plantedRetrieval({ rows: 1000, clusters: 30 });
    const errorOf = async (options: Options) => {
      const cache = createCache(shape, { policy: 'subgen', ...options });
      await cache.append(stream.keys, stream.values);
      const exact = oracleAnswer(cache.shape, stream, cache.tokens, 0, needleQuery).output;
      const { output } = await cache.attend(needleQuery);
      return Math.hypot(...exact.map((x, c) => x - output[c])) / Math.hypot(...exact);
    };
    let missed = 0;
    for (let seed = 0; seed < 10; seed++) {
      if ((await errorOf({ delta: 1, valueSamples: 32, seed })) > 0.5) missed++;
      assert.ok((await errorOf({ delta: 1, selfNormalised: true, seed })) < 0.05);
    }
    // The needle's share of Σ‖v‖² is about 3.7/1000, so 32 samples have it with probability 0.11: nine times of ten in 1 of 10⁷ cases.
    assert.ok(missed >= 2, `${missed}`);
  });

  it('turns with its keys and queries', async () => {
    const stream = plantedStream({ rows: 300, dim: 4, seed: 7 });
    const rng = createRng(8);
    const turned = (rows: Float32Array) => {
      // Plane rotations, in float64 but for the result.
      const result = Float64Array.from(rows);
      for (const [p, q, angle] of [
        [0, 1, 0.3],
        [2, 3, 1.1],
        [1, 2, 2.5],
      ])
        for (let i = 0; i < rows.length; i += 4) {
          const [x, y] = [result[i + p], result[i + q]];
          result[i + p] = Math.cos(angle) * x - Math.sin(angle) * y;
          result[i + q] = Math.sin(angle) * x + Math.cos(angle) * y;
        }
      return Float32Array.from(result);
    };
    const q = Float32Array.from({ length: 4 }, () => rng.normal());
    const [plain, rotated] = [cacheOf(4, { delta: 1 }), cacheOf(4, { delta: 1 })];
    await plain.append(stream.keys.data, stream.values.data);
    await rotated.append(turned(stream.keys.data), stream.values.data);
    assert.equal(rotated.clusters(0), plain.clusters(0));
    const [a, b] = [await plain.attend(q), await rotated.attend(turned(q))];
    assert.ok(a.output.every((x, c) => Math.abs(x - b.output[c]) <= 1e-5 * (1 + Math.abs(x))));
  });

  it('refuses parameters outside their domain', () => {
    for (const options of [
      { delta: -1 },
      { delta: Number.NaN },
      { delta: 1, clusterSamples: 0 },
      { delta: 1, valueSamples: 0.5 },
      { delta: 1, valueSamples: 8, selfNormalised: true },
    ])
      assert.throws(() => cacheOf(2, options), { code: 'INVALID_ARGUMENT' });
  });
});
