import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gainOf, judge, logLogSlope, measure, partOf } from './protocol.ts';

describe('measure', () => {
  it('gives mean and standard error', () => {
    // Variance ((1+1)/1)/2 of two runs: (3−2)² + (1−2)² = 2, over 1, over 2 runs.
    assert.deepEqual(measure([3, 1]), { mean: 2, standardError: 1, values: [3, 1] });
    assert.deepEqual(measure([5]), { mean: 5, standardError: 0, values: [5] });
  });

  it('pairs runs: what both share does not widen the error', () => {
    const gain = gainOf(measure([11, 21, 31]), measure([10, 20, 30]));
    assert.deepEqual(gain, { mean: 1, standardError: 0, values: [1, 1, 1] });
  });
});

describe('logLogSlope', () => {
  it('is the exponent of a power law, in any unit', () => {
    const x = [50, 100, 200, 400];
    for (const scale of [1, 1e-6]) {
      const slope = logLogSlope(
        x,
        x.map((s) => scale / Math.sqrt(s)),
      );
      assert.ok(Math.abs(slope + 0.5) < 1e-14, `${slope}`);
    }
  });

  it('is the least-squares slope', () => {
    // Points (0, 0), (1, 1), (2, 0) in logarithms: the slope is 0.
    assert.ok(Math.abs(logLogSlope([1, Math.E, Math.E ** 2], [1, Math.E, 1])) < 1e-15);
  });
});

describe('judge', () => {
  it('takes both ends as allowed, and fails what is not a number', () => {
    assert.deepEqual(judge('c', 4, { low: 4, unit: 'points' }), {
      claim: 'c',
      measured: 4,
      unit: 'points',
      required: '≥ 4',
      passed: true,
    });
    assert.equal(judge('c', 0.5, { high: 0.4, unit: 'ratio' }).passed, false);
    assert.equal(judge('c', 0.4, { low: 0.3, high: 0.4, unit: 'ratio' }).required, '0.3 … 0.4');
    assert.equal(judge('c', Number.NaN, { low: 0, unit: 'ratio' }).passed, false);
  });
});

describe('partOf', () => {
  it('reports the part and throws the reason of an abort', () => {
    const seen: unknown[] = [];
    partOf({ onProgress: (progress) => seen.push(progress) }, 'x', 1, 3);
    assert.deepEqual(seen, [{ phase: 'x', done: 1, total: 3 }]);
    const signal = AbortSignal.abort(new Error('enough'));
    assert.throws(() => partOf({ signal }, 'x', 0, 1), { message: 'enough' });
  });
});
