import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { largestDifference } from '../../test/attention-inputs.ts';
import { createRng } from '../core/rng.ts';
import { type CacheOptions, createCache, type KeyValueCache, restoreCache } from './index.ts';

const shape = { heads: 4, keyHeads: 2, dim: 6, valueDim: 5 };

function numbers(length: number, seed: number): Float32Array {
  const rng = createRng(seed);
  return Float32Array.from({ length }, () => rng.normal());
}

function feed(cache: KeyValueCache, tokens: number, seed: number): Promise<void> {
  const queries = numbers(tokens * 24, seed + 2);
  return cache.append(numbers(tokens * 12, seed), numbers(tokens * 10, seed + 1), { queries });
}

describe('caches with budgets by head', () => {
  it('are the cache of all heads when the budgets are equal', async () => {
    const rows = { budget: 24, sinks: 3 };
    const policies: CacheOptions[] = [
      { policy: 'full' },
      { policy: 'sink-window', ...rows },
      { policy: 'h2o', ...rows },
      { policy: 'snapkv', ...rows, observe: 8 },
      { policy: 'keydiff', ...rows },
      { policy: 'k-center', ...rows, mode: 'weighted' },
      { policy: 'hybrid', ...rows },
    ];
    for (const options of policies) {
      const [apart, joint] = [createCache(shape, [options, options]), createCache(shape, options)];
      for (const [tokens, seed] of [
        [50, 1],
        [1, 5],
        [7, 9],
      ])
        for (const cache of [apart, joint]) await feed(cache, tokens, seed);
      assert.equal(apart.tokens, 58);
      for (const head of [0, 1]) assert.deepEqual(apart.kept(head), joint.kept(head));
      const query = numbers(24, 3);
      const [a, b] = await Promise.all([
        apart.attend(query, { interval: true }),
        joint.attend(query, { interval: true }),
      ]);
      // The same rows and the same kernel; sums may be cut into other tasks.
      assert.ok(largestDifference(a.output, b.output) <= 1e-6, options.policy);
      assert.ok(largestDifference(a.lse, b.lse) <= 1e-6);
      assert.ok(largestDifference(a.interval!.lseHigh, b.interval!.lseHigh) <= 1e-6);
      const many = numbers(24 * 3, 4);
      const [c, d] = await Promise.all([apart.attendMany(many, 3), joint.attendMany(many, 3)]);
      assert.ok(largestDifference(c.output, d.output) <= 1e-6);
    }
  });

  it('keep what each head may, are forked and saved', async () => {
    const options = [16, 30].map((budget) => ({ policy: 'hybrid', budget }) as const);
    const cache = createCache(shape, options);
    await feed(cache, 80, 1);
    assert.deepEqual(
      [0, 1].map((head) => cache.kept(head).length),
      [16, 30],
    );
    const single = await Promise.all(
      options.map(async (one, head) => {
        const own = createCache({ ...shape, heads: 2, keyHeads: 1 }, one);
        const of = (rows: Float32Array, width: number) =>
          rows.filter((_, i) => Math.floor(i / width) % 2 === head);
        await own.append(of(numbers(80 * 12, 1), 6), of(numbers(80 * 10, 2), 5));
        return own.bytes().total;
      }),
    );
    assert.equal(cache.bytes().total, single[0] + single[1]);
    const [fork, restored] = [cache.fork(), restoreCache(cache.save())];
    const before = cache.save();
    await feed(fork, 9, 7);
    assert.deepEqual(cache.save(), before);
    await feed(restored, 9, 7);
    await feed(cache, 9, 7);
    assert.deepEqual(fork.save(), cache.save());
    assert.deepEqual(restored.save(), cache.save());
  });

  it('take long appends in pieces, each with its own queries', async () => {
    const options = { policy: 'h2o', budget: 12, sinks: 2 } as const;
    const [apart, joint] = [createCache(shape, [options, options]), createCache(shape, options)];
    const steps: number[] = [];
    for (const cache of [apart, joint]) await feed(cache, 3, 1);
    const many = [numbers(5000 * 12, 4), numbers(5000 * 10, 5)] as const;
    const queries = numbers(5000 * 24, 6);
    await joint.append(...many, { queries });
    await apart.append(...many, { queries, onProgress: ({ done }) => steps.push(done) });
    assert.deepEqual(steps, [4096, 5000]);
    for (const head of [0, 1]) assert.deepEqual(apart.kept(head), joint.kept(head));
  });

  it('take a first append in all heads or in none', async () => {
    // 50 tokens: only the head with fewer rows has to choose by queries.
    const options = [60, 24].map((budget) => ({ policy: 'snapkv', budget, observe: 8 }) as const);
    const [cache, other] = [createCache(shape, options), createCache(shape, options)];
    const before = cache.save();
    await assert.rejects(cache.append(numbers(50 * 12, 1), numbers(50 * 10, 2)), {
      code: 'INVALID_ARGUMENT',
      message: /got no queries/,
    });
    assert.equal(cache.tokens, 0);
    assert.deepEqual(cache.save(), before);
    for (const one of [cache, other]) await feed(one, 50, 1);
    assert.deepEqual(cache.save(), other.save());
  });

  it('refuse what does not fit, and stop between pieces', async () => {
    const full = { policy: 'full' } as const;
    assert.throws(() => createCache(shape, [full]), {
      code: 'SHAPE',
      message: /for 1 key heads; expected 2/,
    });
    assert.throws(() => createCache(shape, [full, { policy: 'sink-window', budget: 9 }]), {
      message: /have policies "full" and "sink-window"; expected the same/,
    });
    const cache = createCache(shape, [full, full]);
    await assert.rejects(cache.append(new Float32Array(12).fill(Number.NaN), new Float32Array(10)), /NaN/);
    await assert.rejects(
      feed(cache, 5, 1).then(() =>
        cache.append(new Float32Array(12), new Float32Array(10), { signal: AbortSignal.abort() }),
      ),
      {
        name: 'AbortError',
      },
    );
    assert.equal(cache.tokens, 5);
    const saved = cache.save();
    assert.throws(() => restoreCache(saved.with(saved.length - 40, saved[saved.length - 40] ^ 1)), {
      code: 'DATA',
    });
  });
});
