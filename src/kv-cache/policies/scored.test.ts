// Policies that go by attention or direction: which queries they need, and that their rules are those of their papers.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng } from '../../core/rng.ts';
import { type CacheShape, createCache, type KeyValueCache } from '../index.ts';

const shape: CacheShape = { heads: 2, keyHeads: 1, dim: 4, valueDim: 3 };
const tokens = 80;
const rng = createRng(1);
const normal = (length: number) => Float32Array.from({ length }, () => rng.normal());
const [keys, values, queries] = [normal(tokens * 4), normal(tokens * 3), normal(tokens * 8)];
const query = normal(8);

const part = (array: Float32Array, width: number, from: number, to: number) =>
  array.subarray(from * width, to * width);
const positionsOf = (cache: KeyValueCache) => cache.kept(0).map(({ position }) => position);

describe('snapkv', () => {
  const options = { policy: 'snapkv', budget: 20, sinks: 2, observe: 6, neighbours: 1 } as const;

  it('needs the queries of its window in a prefill beyond the budget, and none after it', async () => {
    const [all, window] = [createCache(shape, options), createCache(shape, options)];
    await all.append(keys, values, { queries });
    await window.append(keys, values, { queries: part(queries, 8, tokens - 6, tokens) });
    assert.deepEqual(window.save(), all.save());
    await assert.rejects(
      createCache(shape, options).append(keys, values, { queries: part(queries, 8, tokens - 5, tokens) }),
      {
        code: 'INVALID_ARGUMENT',
        message: /queries of 5 tokens; expected options.queries of the last 6, shape \(6, 2, 4\)/,
      },
    );
    await assert.rejects(createCache(shape, options).append(keys, values), { message: /got no queries/ });
    // Later ones change nothing, given or not.
    await all.append(part(keys, 4, 0, 9), part(values, 3, 0, 9), { queries: part(queries, 8, 0, 9) });
    await window.append(part(keys, 4, 0, 9), part(values, 3, 0, 9));
    assert.deepEqual(window.save(), all.save());
    // A prompt within the budget is kept whole, whatever was asked.
    const short = createCache(shape, options);
    await short.append(part(keys, 4, 0, 20), part(values, 3, 0, 20));
    assert.equal(short.kept(0).length, 20);
  });

  it('keeps what the last queries attend to, by causal softmax', async () => {
    const cache = createCache(shape, options);
    await cache.append(keys, values, { queries });
    const scores = new Float64Array(tokens);
    for (let t = tokens - 6; t < tokens; t++)
      for (let head = 0; head < 2; head++) {
        const logits = Array.from({ length: t + 1 }, (_, i) => {
          let sum = 0;
          for (let p = 0; p < 4; p++) sum += queries[(t * 2 + head) * 4 + p] * keys[i * 4 + p];
          return Math.exp(sum / 2);
        });
        const total = logits.reduce((a, b) => a + b, 0);
        for (let i = 0; i <= t; i++) scores[i] += logits[i] / total;
      }
    const middle = Array.from({ length: tokens - 2 - 9 }, (_, i) => i + 2);
    const best = middle.sort((a, b) => scores[b] - scores[a]).slice(0, 9);
    const ends = [0, 1, ...Array.from({ length: 9 }, (_, i) => tokens - 9 + i)];
    assert.deepEqual(
      positionsOf(cache),
      [...ends, ...best].sort((a, b) => a - b),
    );
  });
});

describe('h2o', () => {
  it('needs the queries of every token', async () => {
    const cache = createCache(shape, { policy: 'h2o', budget: 20 });
    await assert.rejects(cache.append(keys, values, { queries: part(queries, 8, 1, tokens) }), {
      message: /queries of 79 tokens; expected options.queries of the last 80/,
    });
    assert.equal(cache.tokens, 0);
    await cache.append(keys, values, { queries });
    assert.equal(cache.tokens, tokens);
  });
});

describe('keydiff', () => {
  it('drops the key most like the mean direction at every step, and holds eight bytes a row more than a window', async () => {
    const options = { budget: 20, sinks: 2, recent: 5 };
    const cache = createCache(shape, { policy: 'keydiff', ...options });
    await cache.append(keys, values);
    const direction = (t: number) => {
      const key = part(keys, 4, t, t + 1);
      return Float64Array.from(key, (x) => x / Math.hypot(...key));
    };
    const sum = new Float64Array(4);
    let pool: number[] = [];
    for (let t = 0; t < tokens; t++) {
      // The one that leaves the window is a candidate before the new key is counted.
      const left = t - 5;
      if (left >= 2) {
        pool.push(left);
        const likeness = (i: number) => direction(i).reduce((total, x, p) => total + x * sum[p], 0);
        if (pool.length > 13) {
          const gone = pool.reduce((a, b) => (likeness(b) > likeness(a) ? b : a));
          pool = pool.filter((i) => i !== gone);
        }
      }
      direction(t).forEach((x, p) => {
        sum[p] += x;
      });
    }
    const recent = Array.from({ length: 5 }, (_, i) => tokens - 5 + i);
    assert.deepEqual(
      positionsOf(cache),
      [0, 1, ...pool, ...recent].sort((a, b) => a - b),
    );
    const uniform = createCache(shape, { policy: 'uniform', ...options });
    await uniform.append(keys, values);
    // A norm a row, and the sum of directions.
    assert.equal(cache.bytes().total - uniform.bytes().total, 8 * 20 + 8 * 4);
    await cache.attend(query);
  });
});
