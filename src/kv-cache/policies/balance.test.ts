import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng } from '../../core/rng.ts';
import { plantedStream } from '../../data/datasets/index.ts';
import { type CacheOptions, createCache } from '../create-cache.ts';
import { oracleAnswer } from '../oracle.ts';

const dim = 8;
const shape = { heads: 1, keyHeads: 1, dim, valueDim: dim, scale: 0.1, storage: 'float32' as const };

/** Mean error of the output after 1024 tokens, keys in 8 groups or in none. */
async function errorOf(options: CacheOptions, clustered: boolean): Promise<number> {
  const tokens = 1024;
  let sum = 0;
  for (let seed = 0; seed < 6; seed++) {
    const rng = createRng(seed);
    const normal = () => Float32Array.from({ length: tokens * dim }, () => rng.normal());
    const planted = plantedStream({ rows: tokens, dim, clusters: 8, seed });
    const [keys, values] = clustered ? [planted.keys.data, planted.values.data] : [normal(), normal()];
    const cache = createCache(shape, options);
    await cache.append(keys, values);
    for (let q = 0; q < 20; q++) {
      const query = Float32Array.from({ length: dim }, () => rng.normal());
      const { output } = await cache.attend(query);
      const exact = oracleAnswer(shape, { keys, values, queries: keys }, tokens, 0, query);
      sum += Math.hypot(...exact.output.map((x, c) => x - output[c])) / 120;
    }
  }
  return sum;
}

describe('balance', () => {
  it('keeps the number of tokens in its weights, whatever the pool', async () => {
    for (const [budget, tokens] of [
      [20, 300],
      [6, 100],
      [64, 64],
    ]) {
      const cache = createCache(shape, { policy: 'balance', budget, sinks: 2, recent: 2 });
      const rng = createRng(budget);
      const stream = Float32Array.from({ length: tokens * dim }, () => rng.normal());
      await cache.append(stream, stream);
      const kept = cache.kept(0);
      assert.ok(kept.every(({ count }) => Math.log2(count) % 1 === 0));
      // A query of 0 sees every token alike: e^lse is the number of tokens, but for a token that a pool of single weights had to drop.
      const { lse } = await cache.attend(new Float32Array(dim));
      const total = kept.reduce((sum, { count }) => sum + count, 0);
      assert.ok(Math.abs(Math.exp(lse[0]) - total) <= 1e-3 * total);
      if (budget > 6) assert.equal(total, tokens);
    }
  });

  it('answers better than a uniform sample of as many where keys cluster, and not where nothing does', async () => {
    const rows = { budget: 132, sinks: 2, recent: 2 };
    const balance = await errorOf({ policy: 'balance', ...rows }, true);
    const uniform = await errorOf({ policy: 'uniform', weighted: true, ...rows }, true);
    assert.ok(balance < 0.9 * uniform, `${balance}, uniform ${uniform}`);
    // A pool that halves is three quarters full on average, and its weights are uneven.
    const [a, b] = [
      await errorOf({ policy: 'balance', ...rows }, false),
      await errorOf({ policy: 'uniform', weighted: true, ...rows }, false),
    ];
    assert.ok(a < 1.5 * b, `${a}, uniform ${b}`);
  });
});
