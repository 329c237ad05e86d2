import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { audit, isVacuous } from '../core/certificate.ts';
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

  it('promises nothing of what was rounded on its way in', async () => {
    for (const storage of ['float16', 'k4v4'] as const)
      for (const options of [{ policy: 'full' }, { policy: 'balance', budget: 500 }] as const) {
        const cache = createCache({ ...shape, storage }, options);
        await cache.append(keys.data, values.data);
        const { value, certificate } = await certifiedAttend(cache, queries);
        // The answers are off, so that a bound of 0 would be wrong.
        assert.ok(largestError(value.map(({ output }) => output)) > 1e-5);
        assert.equal(certificate.bound.value, Infinity);
        assert.match(certificate.warnings[0], new RegExp(`keeps them as ${storage} without knowing`));
      }
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

  it('promises by the theorem what subgen then keeps', async () => {
    const weak = queries.map((x) => x / 20);
    const asking = Float32Array.from({ length: rows * 2 * dim }, (_, i) => weak[i % weak.length]);
    const stream = { keys: keys.data, values: values.data, queries: asking };
    const sizes = { clusterSamples: 64, valueSamples: 40_000 };
    let kept = 0;
    for (let seed = 0; seed < 20; seed++) {
      const cache = createCache(shape, { policy: 'subgen', delta: 0.7, ...sizes, seed });
      await cache.append(keys.data, values.data);
      const certificate = await auditAnswers(cache, stream, 3);
      const { bound, audit: measured, assumptions, warnings } = certificate;
      assert.ok(bound.value < 1 && bound.failureProbability === 0.05 && certificate.seed === seed);
      assert.deepEqual(warnings, []);
      assert.ok(assumptions.every(({ status }) => status !== 'violated'));
      assert.ok(measured && measured.error > bound.value / 200, 'the bound is no more than loose');
      if (measured.kept) kept++;
    }
    // Each fails with probability 0.05 at most, by Chebyshev and so in truth far less: all but never more than 9 of 20 would (4e-7).
    assert.ok(kept >= 11);
  });

  it('says when the theorem promises nothing, and what would mend it', async () => {
    const options = { policy: 'subgen', delta: 2, clusterSamples: 4 } as const;
    for (const [extra, told] of [
      [{}, /vacuous at δr = .*valueSamples of \d+ and clusterSamples of \d+, or delta of/],
      [{ delta: 1e-3 }, /these do not cluster at δ = 0.001/],
      [{ selfNormalised: true }, /no bound is known/],
      [{ delta: Infinity }, /it takes valueSamples of \d+ and delta of/],
    ] as const) {
      const cache = createCache(shape, { ...options, ...extra });
      await cache.append(keys.data, values.data);
      const { certificate } = await certifiedAttend(cache, queries);
      assert.ok(isVacuous(certificate.bound));
      assert.match(certificate.warnings.join(), told);
    }
  });

  it('refuses queries that are no whole number', async () => {
    const cache = createCache(shape, { policy: 'full' });
    for (const length of [0, dim, 5 * dim])
      await assert.rejects(certifiedAttend(cache, new Float32Array(length)), { code: 'SHAPE' });
    await assert.rejects(certifiedAttend(cache, queries, { failureProbability: 1 }), {
      message: /failureProbability is 1/,
    });
  });
});
