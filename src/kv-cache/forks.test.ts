// Forks share memory until one is written; a query is no write.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng } from '../core/rng.ts';
import { CACHE_POLICIES, type CacheOptions, createCache } from './index.ts';
import type { CacheShape, KeyValueCache } from './types.ts';

const shape: CacheShape = { heads: 4, keyHeads: 2, dim: 6, valueDim: 5 };
const rows = { budget: 24, sinks: 3 };
const optionsOf: Record<CacheOptions['policy'], CacheOptions> = {
  full: { policy: 'full' },
  'sink-window': { policy: 'sink-window', ...rows },
  uniform: { policy: 'uniform', ...rows, weighted: true },
  h2o: { policy: 'h2o', ...rows },
  snapkv: { policy: 'snapkv', ...rows },
  keydiff: { policy: 'keydiff', ...rows },
  balance: { policy: 'balance', ...rows },
  'k-center': { policy: 'k-center', ...rows, mode: 'weighted' },
  hybrid: { policy: 'hybrid', ...rows, secondOrder: true },
  subgen: { policy: 'subgen', delta: 1.5 },
};

const numbers = (length: number, seed: number) => {
  const rng = createRng(seed);
  return Float32Array.from({ length }, () => rng.normal());
};
const query = numbers(24, 1);

function feed(cache: KeyValueCache, tokens: number, seed: number): Promise<void> {
  const queries = numbers(tokens * 24, seed + 2);
  return cache.append(numbers(tokens * 12, seed), numbers(tokens * 10, seed + 1), { queries });
}

for (const policy of CACHE_POLICIES) {
  const fed = async (...parts: [tokens: number, seed: number][]) => {
    const cache = createCache(shape, optionsOf[policy]);
    for (const [tokens, seed] of parts) await feed(cache, tokens, seed);
    return cache;
  };

  describe(`forks of cache policy ${policy}`, () => {
    it('are asked in turn, and answer as caches of their own do', async () => {
      const [a, own, other] = [await fed([40, 2]), await fed([40, 2]), await fed([40, 2], [7, 3])];
      const b = a.fork();
      const answers = [await a.attend(query), await b.attend(query), await a.attend(query)];
      for (const answer of answers) assert.deepEqual(answer, await own.attend(query));
      await feed(b, 7, 3);
      for (let round = 0; round < 2; round++) {
        assert.deepEqual(await b.attend(query), await other.attend(query));
        assert.deepEqual(await a.attend(query), await own.attend(query));
      }
      assert.deepEqual(a.save(), own.save());
      assert.deepEqual(b.save(), other.save());
    });

    it('are asked and fed at the same time, and answer as caches of their own do', async () => {
      const [a, other] = [await fed([40, 2]), await fed([40, 2], [9, 4])];
      const [b, c] = [a.fork(), a.fork()];
      const before = await a.attend(query);
      const [first, second, , third, fourth] = await Promise.all([
        ...[a.attend(query), b.attend(query), feed(c, 9, 4), a.attend(query), b.attend(query)],
      ]);
      for (const answer of [first, second, third, fourth]) assert.deepEqual(answer, before);
      const grown = [feed(b, 9, 4), c.attend(query), a.attend(query)] as const;
      const [, late, early] = await Promise.all(grown);
      assert.deepEqual(early, before);
      assert.deepEqual(late, await other.attend(query));
      assert.deepEqual(await b.attend(query), late);
      assert.deepEqual(a.fork().save(), a.save());
    });

    it('are not written by a query', async () => {
      const cache = await fed([40, 2]);
      const before = cache.save();
      const fork = cache.fork();
      await fork.attend(query, { interval: true });
      await cache.attend(query);
      assert.deepEqual(cache.save(), before);
      assert.deepEqual(fork.save(), before);
    });
  });
}
