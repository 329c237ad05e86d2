import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createRng } from '../../core/rng.ts';
import { distributionFromLogits, distributionFromLogProbabilities } from './distribution.ts';

const logits = fc.float32Array({ minLength: 1, maxLength: 50, noNaN: true, noDefaultInfinity: true });

describe('TokenDistribution', () => {
  it('sums to one, for logits of any size', () => {
    const property = fc.property(logits, fc.constantFrom(0.1, 1, 10), (some, temperature) => {
      const { logProbabilities } = distributionFromLogits(some, temperature);
      const sum = logProbabilities.reduce((total, logprob) => total + Math.exp(logprob), 0);
      assert.ok(Math.abs(sum - 1) <= 4 * some.length * Number.EPSILON, `sum is ${sum}`);
    });
    fc.assert(property, { seed: 1, numRuns: 500 });
  });

  it('inverts its cumulative distribution, in the order of ids', () => {
    const distribution = distributionFromLogProbabilities(
      Float64Array.of(Math.log(0.25), -Infinity, Math.log(0.5), Math.log(0.25)),
    );
    const at = (u: number): number => distribution.quantile(u);
    assert.deepEqual([0, 0.2499, 0.2501, 0.7499, 0.7501, 1 - 2 ** -53].map(at), [0, 0, 2, 2, 3, 3]);
    assert.equal(distribution.probability(1), 0);
    assert.equal(distribution.sample(createRng(1)), at(createRng(1).next()));
  });

  it('lists the most likely tokens, none that cannot come', () => {
    const distribution = distributionFromLogits(Float32Array.of(1, -Infinity, 3, 1));
    assert.deepEqual(
      distribution.top(9).map(({ id }) => id),
      [2, 0, 3],
    );
    assert.equal(distribution.top(1)[0].logprob, distribution.logProbabilities[2]);
    assert.deepEqual(distribution.top(0), []);
  });

  it('refuses what is no distribution', () => {
    assert.throws(() => distributionFromLogits(Float32Array.of(NaN)), {
      code: 'NUMERICAL',
      message: /logits\[0\] is NaN/,
    });
    assert.throws(() => distributionFromLogits(new Float32Array(0)), { code: 'NUMERICAL' });
    assert.throws(() => distributionFromLogits(Float32Array.of(1), 0), {
      code: 'INVALID_ARGUMENT',
      message: /temperature is 0/,
    });
    const one = distributionFromLogits(Float32Array.of(1));
    assert.throws(() => one.probability(1), { code: 'INVALID_ARGUMENT', message: /id is 1/ });
    assert.throws(() => one.quantile(-0.1), { code: 'INVALID_ARGUMENT', message: /u is -0\.1/ });
  });
});
