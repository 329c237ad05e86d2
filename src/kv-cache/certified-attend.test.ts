import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { audit } from '../core/certificate.ts';
import { plantedStream } from '../data/datasets/index.ts';
import { auditAnswers, certifiedAttend, createCache, oracleAnswer } from './index.ts';

const [rows, dim, keyHeads] = [400, 8, 1];
const { keys, values, centers } = plantedStream({ rows, dim, clusters: 6, seed: 3 });
const shape = { heads: 2, keyHeads, dim, valueDim: dim };
/** Three queries of two heads: the centers. */
const queries = centers.data.slice(0, 6 * dim);

function largestError(outputs: readonly Float32Array[]): number {
  const layer = { ...shape, scale: 1 / Math.sqrt(dim), storage: 'float32' as const };
  const stream = { keys: keys.data, values: values.data, queries };
  let most = 0;
  for (const [i, output] of outputs.entries())
    for (const head of [0, 1]) {
      const query = queries.subarray((2 * i + head) * dim, (2 * i + head + 1) * dim);
      const exact = oracleAnswer(layer, stream, rows, head, query).output;
      most = Math.max(most, Math.hypot(...exact.map((x, p) => x - output[head * dim + p])));
    }
  return most;
}

describe('certifiedAttend', () => {
  it('bounds the worst of all answers and heads, for certain', async () => {
    const cache = createCache(shape, { policy: 'hybrid', budget: 40 });
    await cache.append(keys.data, values.data);
    const certified = await certifiedAttend(cache, queries);
    const { bound, assumptions } = certified.certificate;
    assert.equal(certified.value.length, 3);
    const all = certified.value.flatMap(({ interval }) => [...(interval?.outputError ?? [])]);
    assert.equal(bound.value, Math.max(...all));
    assert.equal(bound.failureProbability, 0);
    assert.ok(assumptions.every(({ status }) => status === 'proved'));
    const { certificate } = audit(
      certified,
      largestError(certified.value.map(({ output }) => output)),
      'all',
    );
    assert.ok(certificate.audit?.kept && bound.value > 0);
  });

  it('promises no error where all is kept, and nothing where something was forgotten', async () => {
    const full = createCache(shape, { policy: 'full' });
    const window = createCache(shape, { policy: 'sink-window', budget: 40 });
    for (const cache of [full, window]) await cache.append(keys.data, values.data);
    assert.equal((await certifiedAttend(full, queries)).certificate.bound.value, 0);
    const { bound, assumptions, warnings } = (await certifiedAttend(window, queries)).certificate;
    assert.equal(bound.value, Infinity);
    assert.equal(assumptions[0].status, 'violated');
    assert.match(warnings[0], /sink-window has forgotten some of 400 tokens/);
  });

  it('is held against exact attention by auditAnswers', async () => {
    const cache = createCache(shape, { policy: 'hybrid', budget: 40 });
    await cache.append(keys.data, values.data);
    // Queries of 400 tokens for two heads: keys, twice.
    const asking = Float32Array.from({ length: rows * 2 * dim }, (_, i) => {
      const token = Math.floor(i / (2 * dim));
      return keys.data[token * dim + (i % dim)];
    });
    const stream = { keys: keys.data, values: values.data, queries: asking };
    const { audit: measured, bound } = await auditAnswers(cache, stream, 5);
    assert.equal(measured?.sample, 'all 5 answers');
    assert.ok(measured?.kept && measured.error > 0 && bound.value >= measured.error);
    await assert.rejects(auditAnswers(cache, stream, 0), { code: 'INVALID_ARGUMENT' });
  });

  it('refuses queries that are no whole number', async () => {
    const cache = createCache(shape, { policy: 'full' });
    for (const length of [0, dim, 5 * dim])
      await assert.rejects(certifiedAttend(cache, new Float32Array(length)), { code: 'SHAPE' });
  });
});
