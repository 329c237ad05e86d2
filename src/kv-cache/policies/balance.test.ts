import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng } from '../../core/rng.ts';
import { type CacheOptions, createCache } from '../create-cache.ts';
import { oracleAnswer } from '../oracle.ts';

const dim = 8;
const shape = { heads: 1, keyHeads: 1, dim, valueDim: dim, scale: 0.3, storage: 'float32' as const };

/** Mean error of lse and output on a stream without clusters. */
async function errorsOf(options: CacheOptions, tokens: number): Promise<{ lse: number; output: number }> {
  const errors = { lse: 0, output: 0 };
  for (let seed = 0; seed < 6; seed++) {
    const rng = createRng(seed);
    const normal = () => Float32Array.from({ length: tokens * dim }, () => rng.normal());
    const [keys, values] = [normal(), normal()];
    const cache = createCache(shape, options);
    await cache.append(keys, values);
    for (let q = 0; q < 20; q++) {
      const query = Float32Array.from({ length: dim }, () => rng.normal());
      const { output, lse } = await cache.attend(query);
      const exact = oracleAnswer(shape, { keys, values, queries: keys }, tokens, 0, query);
      errors.lse += Math.abs(lse[0] - exact.lse) / 120;
      errors.output += Math.hypot(...exact.output.map((x, c) => x - output[c])) / 120;
    }
  }
  return errors;
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

  it('estimates row sums better than a uniform sample of as many', async () => {
    const rows = { budget: 132, sinks: 2, recent: 2 };
    const balance = await errorsOf({ policy: 'balance', ...rows }, 1024);
    const uniform = await errorsOf({ policy: 'uniform', weighted: true, ...rows }, 1024);
    assert.ok(balance.lse < 0.8 * uniform.lse, `${balance.lse}, uniform ${uniform.lse}`);
    // Outputs are no better here, the weights being uneven and the keys without structure.
    assert.ok(balance.output < 2 * uniform.output, `${balance.output}, uniform ${uniform.output}`);
  });
});
