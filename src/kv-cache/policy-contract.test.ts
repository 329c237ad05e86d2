// What every policy promises, whatever it keeps. Traits say what differs.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { largestDifference } from '../../test/attention-inputs.ts';
import { createRng } from '../core/rng.ts';
import { rowBytes, STORAGES } from '../kernels/index.ts';
import { CACHE_POLICIES, type CacheOptions, createCache, restoreCache } from './index.ts';
import type { CacheShape, KeyValueCache } from './types.ts';

interface Traits {
  options: CacheOptions;
  /** Rows kept per key head, at most. */
  rows: number;
  /** Outputs are averages of values. */
  convex: boolean;
  /** Appending at once differs from appending one by one. */
  prefills?: boolean;
  /** Keeps samples of the stream, not tokens of a budget. */
  sketch?: boolean;
}

const shape: CacheShape = { heads: 4, keyHeads: 2, dim: 6, valueDim: 5 };
const rest = { budget: 24, sinks: 3 };

const traits: Record<CacheOptions['policy'], Traits> = {
  full: { options: { policy: 'full' }, rows: Infinity, convex: true },
  'sink-window': { options: { policy: 'sink-window', ...rest }, rows: 24, convex: true },
  uniform: { options: { policy: 'uniform', ...rest, seed: 5, weighted: true }, rows: 24, convex: true },
  h2o: { options: { policy: 'h2o', ...rest }, rows: 24, convex: true },
  snapkv: { options: { policy: 'snapkv', ...rest, observe: 8 }, rows: 24, convex: true, prefills: true },
  'k-center': {
    options: { policy: 'k-center', ...rest, mode: 'weighted' },
    ...{ rows: 24, convex: true, prefills: true },
  },
  balance: { options: { policy: 'balance', ...rest }, rows: 24, convex: true },
  hybrid: {
    options: { policy: 'hybrid', ...rest, prefill: 'stream', secondOrder: true },
    ...{ rows: 24, convex: true },
  },
  subgen: {
    options: { policy: 'subgen', delta: 1.5, clusterSamples: 2, valueSamples: 16 },
    ...{ rows: Infinity, convex: false, sketch: true },
  },
  keydiff: { options: { policy: 'keydiff', ...rest }, rows: 24, convex: true },
};

interface Stream {
  keys: Float32Array;
  values: Float32Array;
  queries: Float32Array;
}

function streamOf(tokens: number, size = 1): Stream {
  const rng = createRng(tokens);
  const normal = (length: number) => Float32Array.from({ length }, () => size * rng.normal());
  return { keys: normal(tokens * 2 * 6), values: normal(tokens * 2 * 5), queries: normal(tokens * 4 * 6) };
}

function part({ keys, values, queries }: Stream, from: number, to: number): Stream {
  return {
    keys: keys.subarray(from * 12, to * 12),
    values: values.subarray(from * 10, to * 10),
    queries: queries.subarray(from * 24, to * 24),
  };
}

const append = (cache: KeyValueCache, { keys, values, queries }: Stream) =>
  cache.append(keys, values, { queries });
const query = streamOf(1).queries;

/** Rows of six numbers, turned in three planes; in float64 but for the result. */
function turned(rows: Float32Array): Float32Array {
  const result = Float64Array.from(rows);
  for (const [p, q, angle] of [
    [0, 1, 0.3],
    [2, 5, 1.1],
    [1, 2, 2.5],
    [3, 4, 0.8],
  ])
    for (let i = 0; i < rows.length; i += 6) {
      const [x, y] = [result[i + p], result[i + q]];
      result[i + p] = Math.cos(angle) * x - Math.sin(angle) * y;
      result[i + q] = Math.sin(angle) * x + Math.cos(angle) * y;
    }
  return Float32Array.from(result);
}

/** Bytes of the memory behind all typed arrays that can be reached from an object, each once; but a generator's few, which follow from its seed. */
function bytesHeld(root: object): number {
  const [seen, buffers] = [new Set<object>(), new Set<ArrayBufferLike>()];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null || seen.has(node)) return;
    seen.add(node);
    if (ArrayBuffer.isView(node)) buffers.add(node.buffer);
    else for (const [name, child] of Object.entries(node)) if (name !== 'rng') visit(child);
  };
  visit(root);
  return [...buffers].reduce((sum, buffer) => sum + buffer.byteLength, 0);
}

for (const policy of CACHE_POLICIES) {
  const { options, rows, convex, prefills, sketch = false } = traits[policy];
  describe(`cache policy ${policy}`, () => {
    it('is exact, bit for bit, until its budget is spent', { skip: sketch && 'it has none' }, async () => {
      const stream = streamOf(Math.min(24, rows));
      const [cache, full] = [createCache(shape, options), createCache(shape, { policy: 'full' })];
      for (let t = 0; t < 24; t++) {
        await append(cache, part(stream, t, t + 1));
        await append(full, part(stream, t, t + 1));
        assert.deepEqual(await cache.attend(query), await full.attend(query));
      }
      // Certain to within float32's own rounding.
      assert.ok(((await cache.attend(query, { interval: true })).interval?.outputError[0] ?? 1) <= 1e-4);
    });

    it('keeps its budget at every step, and says truly what it keeps', async () => {
      const stream = streamOf(90);
      const cache = createCache(shape, options);
      let bytes = 0;
      for (let t = 0; t < 90; t++) {
        await append(cache, part(stream, t, t + 1));
        for (const head of [0, 1]) {
          const positions = cache.kept(head).map(({ position }) => position);
          assert.ok(positions.length <= rows);
          assert.ok(
            positions.every((position, i) => position <= t && (i === 0 || position > positions[i - 1])),
            `${positions}`,
          );
          if (!sketch) assert.equal(positions.at(-1), t);
        }
        if (rows < Infinity && t > 30) assert.equal(cache.bytes().total, bytes);
        bytes = cache.bytes().total;
      }
      assert.equal(cache.tokens, 90);
      const { keys, values, bookkeeping, total } = cache.bytes();
      assert.equal(keys + values + bookkeeping, total);
      if (rows < Infinity) assert.equal(keys, 4 * 2 * rows * 6);
    });

    it('gives the same for the same stream, at once or token by token', async () => {
      const stream = streamOf(70);
      const [a, b, c] = [1, 2, 3].map(() => createCache(shape, options));
      await append(a, stream);
      await append(b, stream);
      assert.deepEqual(await a.attend(query), await b.attend(query));
      if (prefills) return;
      for (let t = 0; t < 70; t++) await append(c, part(stream, t, t + 1));
      assert.deepEqual(await a.attend(query), await c.attend(query));
      for (const head of [0, 1]) assert.deepEqual(a.kept(head), c.kept(head));
    });

    it('goes on after saving and restoring as if it had not stopped', async () => {
      const stream = streamOf(80);
      const cache = createCache(shape, options);
      await append(cache, part(stream, 0, 50));
      const restored = restoreCache(cache.save());
      for (const one of [cache, restored]) await append(one, part(stream, 50, 80));
      assert.deepEqual(await restored.attend(query), await cache.attend(query));
      assert.deepEqual(restored.save(), cache.save());
    });

    it('answers many queries as it answers each', async () => {
      // 50 queries: more than a panel of the kernel, and none a multiple of its lanes.
      const [asked, count] = [streamOf(50).queries, 50];
      const byHead = new Float32Array(asked.length);
      for (let t = 0; t < count; t++)
        for (let head = 0; head < 4; head++)
          byHead.set(asked.subarray((t * 4 + head) * 6, (t * 4 + head + 1) * 6), (head * count + t) * 6);
      for (const storage of STORAGES)
        for (const tokens of [0, 10, 24, 90]) {
          const cache = createCache({ ...shape, storage }, options);
          await append(cache, streamOf(tokens));
          const before = cache.save();
          const many = await cache.attendMany(byHead, count);
          assert.deepEqual(cache.save(), before);
          for (let t = 0; t < count; t++) {
            const one = await cache.attend(asked.subarray(t * 24, (t + 1) * 24));
            for (let head = 0; head < 4; head++) {
              const [at, lse] = [head * count + t, one.lse[head]];
              // Logits to 2⁻²⁴ (dim + 3) · scale · Σ|q k| < 1e-5 for entries below 5, here and there; outputs of size < 5 follow them.
              if (lse === -Infinity) assert.equal(many.lse[at], lse);
              else assert.ok(Math.abs(many.lse[at] - lse) <= 3e-5, `${many.lse[at]} for ${lse}`);
              const [a, b] = [many.output.subarray(at * 5, at * 5 + 5), one.output.subarray(head * 5)];
              assert.ok(
                a.every((x, c) => Math.abs(x - b[c]) <= 1e-4 * (1 + Math.abs(b[c]))),
                `${storage} ${tokens}`,
              );
            }
          }
        }
      const cache = createCache(shape, options);
      assert.equal((await cache.attendMany(new Float32Array(0), 0)).output.length, 0);
      await assert.rejects(cache.attendMany(byHead, 49), {
        code: 'SHAPE',
        message: /queries has length 1200; expected 1176 for 49 tokens/,
      });
      byHead[6 * 50 + 13] = Number.NaN;
      await assert.rejects(cache.attendMany(byHead, 50), {
        code: 'INVALID_ARGUMENT',
        message: /queries is NaN at token 2, head 1, column 1/,
      });
    });

    it('forks into caches that do not see each other', async () => {
      const [stream, other] = [streamOf(60), streamOf(61)];
      const cache = createCache(shape, options);
      await append(cache, part(stream, 0, 40));
      const fork = cache.fork();
      const before = await cache.attend(query);
      assert.deepEqual(await fork.attend(query), before);
      await append(fork, part(other, 0, 20));
      assert.deepEqual(await cache.attend(query), before);
      await append(cache, part(stream, 40, 60));
      const straight = createCache(shape, options);
      await append(straight, part(stream, 0, 40));
      await append(straight, part(stream, 40, 60));
      assert.deepEqual(await cache.attend(query), await straight.attend(query));
    });

    it('stands large logits, and averages values', async () => {
      const cache = createCache({ ...shape, scale: 1 }, options);
      await append(cache, streamOf(80, 60));
      const { output, lse } = await cache.attend(query.map((x) => 100 * x));
      assert.ok(output.every(Number.isFinite) && lse.every(Number.isFinite));
      if (!convex) return;
      const stream = streamOf(80);
      const constant = createCache(shape, options);
      await append(constant, { ...stream, values: stream.values.map(() => 2.5) });
      assert.ok((await constant.attend(query)).output.every((x) => Math.abs(x - 2.5) <= 2.5e-6));
    });

    it('does not mind a vector added to all keys', async () => {
      const stream = streamOf(80);
      const [cache, shifted] = [createCache(shape, options), createCache(shape, options)];
      await append(cache, stream);
      await append(shifted, { ...stream, keys: stream.keys.map((x, i) => x + (i % 6) / 4) });
      const [a, b] = [await cache.attend(query), await shifted.attend(query)];
      // Which way most keys point is not the same then, and what is kept with it.
      if (policy !== 'keydiff') assert.ok(largestDifference(a.output, b.output) <= 1e-5);
    });

    it('turns with its keys and queries', async () => {
      const stream = streamOf(80);
      const [cache, rotated] = [createCache(shape, options), createCache(shape, options)];
      await append(cache, stream);
      const { keys, queries, values } = stream;
      await append(rotated, { keys: turned(keys), queries: turned(queries), values });
      const [a, b] = [await cache.attend(query), await rotated.attend(turned(query))];
      for (const head of [0, 1]) assert.deepEqual(rotated.kept(head), cache.kept(head));
      // The diagonal of a covariance is another one in other axes.
      const tolerance = 'secondOrder' in options ? 0.1 : 1e-5;
      assert.ok(a.output.every((x, c) => Math.abs(x - b.output[c]) <= tolerance * (1 + Math.abs(x))));
    });

    it('reports the bytes of all arrays it holds', async () => {
      for (const tokens of [10, 90]) {
        const cache = createCache(shape, options);
        await append(cache, streamOf(tokens));
        await cache.attend(query);
        assert.equal(cache.bytes().total, bytesHeld(cache));
      }
    });

    it('refuses NaN before it changes anything', async () => {
      const cache = createCache(shape, options);
      await append(cache, streamOf(30));
      const before = cache.save();
      const bad = streamOf(2);
      bad.values[13] = Number.NaN;
      await assert.rejects(append(cache, bad), {
        code: 'INVALID_ARGUMENT',
        message: /values is NaN at token 1, head 0, column 3/,
      });
      await assert.rejects(cache.append(bad.keys.subarray(1), bad.values), { code: 'SHAPE' });
      await assert.rejects(cache.attend(query.subarray(1)), {
        code: 'SHAPE',
        message: /queries has length 23; expected 24/,
      });
      assert.deepEqual(cache.save(), before);
    });

    it('refuses numbers that its halves cannot hold before it changes anything', async () => {
      for (const [storage, largest] of [
        ['float16', 65_504],
        ['bfloat16', 3.3895313892515355e38],
      ] as const) {
        const cache = createCache({ ...shape, storage }, options);
        await append(cache, streamOf(30));
        const before = cache.save();
        for (const name of ['keys', 'values'] as const) {
          const bad = streamOf(2);
          bad[name][13] = -1.003 * largest;
          await assert.rejects(append(cache, bad), {
            code: 'INVALID_ARGUMENT',
            message: new RegExp(`${name} is .* at token 1, head 0, column .*storage "${storage}"`),
          });
        }
        assert.deepEqual(cache.save(), before);
        const good = streamOf(2);
        good.values[13] = largest;
        await append(cache, good);
        assert.equal(cache.tokens, 32);
      }
    });

    it('keeps halves in half the bytes', async () => {
      const [half, float] = (['float16', 'float32'] as const).map((storage) =>
        createCache({ ...shape, storage }, options),
      );
      await append(half, streamOf(30));
      await append(float, streamOf(30));
      assert.equal(2 * half.bytes().keys, float.bytes().keys);
      const [a, b] = [await half.attend(query), await float.attend(query)];
      // A key's entries are off by 2⁻¹¹ relative, so a logit by 2⁻¹¹ · Σ|q k| / √d < 0.01.
      assert.ok(largestDifference(a.output, b.output) <= 0.05);
    });

    it('keeps rows of few bits in the bytes they take, and goes on from them', async () => {
      for (const storage of ['k8v8', 'k4v3'] as const) {
        const cache = createCache({ ...shape, storage }, options);
        await append(cache, streamOf(30));
        const { keys, values } = cache.bytes();
        const bytes = (part: 'keys' | 'values', dim: number) => rowBytes(storage, part, dim);
        // Of 'subgen' rows without a value keep their keys' rows only.
        if (policy !== 'subgen')
          assert.equal(keys * bytes('values', shape.valueDim), values * bytes('keys', shape.dim));
        const restored = restoreCache(cache.save());
        const fork = cache.fork();
        for (const one of [cache, restored, fork]) await append(one, streamOf(9, 7));
        assert.deepEqual(restored.save(), cache.save());
        assert.deepEqual(fork.save(), cache.save());
        const float = createCache(shape, options);
        await append(float, streamOf(30));
        await append(float, streamOf(9, 7));
        if (storage !== 'k8v8') continue;
        const [a, b] = [await cache.attend(query), await float.attend(query)];
        // Each entry is off by at most half a step of 1/127.5 of the largest of a row of at most 4: logits by 0.1 or so, and a choice of rows may differ.
        const limit = policy === 'full' ? 0.1 : 1;
        assert.ok(largestDifference(a.output, b.output) <= limit, `${largestDifference(a.output, b.output)}`);
      }
    });
  });
}

describe('createCache', () => {
  it('names options that do not exist or do not fit', () => {
    const refused: [object, RegExp][] = [
      [{ policy: 'sink-window', budget: 4 }, /budget is 4 with 4 sinks; expected at least 5/],
      [{ policy: 'none' }, /policy is "none"; expected one of full/],
      [{ policy: 'full', budget: 3 }, /policy "full" has no option "budget"; expected none/],
      [{ policy: 'h2o', budget: 10, sinks: 2, recent: 9 }, /recent is 9; expected an integer in \[1, 8\]/],
      [{ policy: 'uniform', budget: 10, seed: -1 }, /seed is -1/],
    ];
    for (const [options, message] of refused)
      assert.throws(() => createCache(shape, options as CacheOptions), { code: 'INVALID_ARGUMENT', message });
    assert.throws(() => createCache({ ...shape, keyHeads: 3 }, { policy: 'full' }), { code: 'SHAPE' });
  });

  it('refuses bytes that are no saved cache', async () => {
    const cache = createCache(shape, { policy: 'full' });
    await append(cache, streamOf(5));
    const bytes = cache.save();
    for (const damaged of [
      new Uint8Array(0),
      bytes.subarray(3),
      bytes.subarray(0, bytes.length - 1),
      bytes.with(30, 0),
    ])
      assert.throws(() => restoreCache(damaged), { code: 'DATA' });
  });

  it('equals attention with repeated keys where a group of heads shares them', async () => {
    const repeatedShape = { ...shape, keyHeads: 4 };
    const [shared, repeated] = [
      createCache(shape, { policy: 'full' }),
      createCache(repeatedShape, { policy: 'full' }),
    ];
    const stream = streamOf(20);
    await append(shared, stream);
    const twice = (array: Float32Array, width: number) =>
      Float32Array.from(
        { length: 2 * array.length },
        (_, i) => array[Math.floor(i / (2 * width)) * width + (i % width)],
      );
    await repeated.append(twice(stream.keys, 6), twice(stream.values, 5));
    assert.ok(
      largestDifference((await shared.attend(query)).output, (await repeated.attend(query)).output) <= 1e-6,
    );
    assert.equal(2 * shared.bytes().keys, repeated.bytes().keys);
  });
});
