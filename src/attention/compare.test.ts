import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compareAttention } from './compare.ts';
import type { AttentionResult } from './types.ts';

function result(output: number[], lse: number[]): AttentionResult {
  const shape = { batch: 1, heads: 1, rows: lse.length, cols: output.length / lse.length };
  return { output: { data: Float32Array.from(output), ...shape }, lse: Float64Array.from(lse), backend: '' };
}

describe('compareAttention', () => {
  it('measures output by the Frobenius norm and row sums in nats', () => {
    const difference = compareAttention(result([3, 4, 1, 0], [1, 2]), result([3, 4, 0, 0], [1.5, 2]));
    assert.deepEqual(difference, { relativeError: 0.2, lseErrorMean: 0.25, lseErrorLargest: 0.5 });
  });

  it('is 0 for equal results, also where no key is seen', () => {
    const none = result([0, 0], [-Infinity, -Infinity]);
    const zero = { relativeError: 0, lseErrorMean: 0, lseErrorLargest: 0 };
    assert.deepEqual(compareAttention(none, none), zero);
    assert.deepEqual(compareAttention(result([], []), result([], [])), zero);
  });

  it('refuses results of another shape', () => {
    assert.throws(() => compareAttention(result([1], [1]), result([1, 2], [1, 2])), { code: 'SHAPE' });
  });
});
