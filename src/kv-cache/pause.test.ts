import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CacheOptions, createCache } from './index.ts';

const shape = { heads: 1, keyHeads: 1, dim: 2, valueDim: 2 };
const policies: CacheOptions[] = [
  { policy: 'full' },
  { policy: 'sink-window', budget: 20 },
  { policy: 'hybrid', budget: 20, prefill: 'stream' },
  { policy: 'balance', budget: 20 },
  { policy: 'subgen', delta: 0.5 },
];

describe('append', () => {
  for (const options of policies) {
    it(`stops a long append when it is told to, keeping what came before: ${options.policy}`, async () => {
      const cache = createCache(shape, options);
      const tokens = Float32Array.from({ length: 2 * 2000 }, (_, i) => Math.sin(i));
      const abort = new AbortController();
      const appended = cache.append(tokens, tokens, { queries: tokens, signal: abort.signal });
      setImmediate(() => abort.abort(new Error('enough')));
      await assert.rejects(appended, { message: 'enough' });
      assert.ok(cache.tokens > 0 && cache.tokens < 2000, `${cache.tokens}`);
      const { output } = await cache.attend(Float32Array.of(1, 1));
      assert.ok(output.every(Number.isFinite));
    });
  }

  for (const options of [
    { policy: 'hybrid', budget: 20, prefill: 'greedy' },
    { policy: 'snapkv', budget: 20 },
  ] as const)
    it(`takes a prefill that is compressed at once whole or not at all: ${options.policy}`, async () => {
      const cache = createCache(shape, options);
      const tokens = Float32Array.from({ length: 2 * 2000 }, (_, i) => Math.sin(i));
      const signal = AbortSignal.abort(new Error('enough'));
      const before = cache.save();
      await assert.rejects(cache.append(tokens, tokens, { queries: tokens, signal }), { message: 'enough' });
      assert.deepEqual(cache.save(), before);
      await cache.append(tokens, tokens, { queries: tokens });
      assert.equal(cache.tokens, 2000);
      await cache.append(tokens.subarray(0, 60), tokens.subarray(0, 60));
      assert.equal(cache.kept(0).at(-1)?.position, 2029);
    });
});
