// How far one result is from another on the same input.

import { ShapeError } from '../core/errors.ts';
import type { AttentionResult } from './types.ts';

export interface AttentionDifference {
  /** ‖Õ − O‖_F / ‖O‖_F over all heads; 0 where both are 0. */
  relativeError: number;
  /** |ln Σ̃ − ln Σ| of the row sums, mean and largest, nats. */
  lseErrorMean: number;
  lseErrorLargest: number;
}

/** @throws {ShapeError} the results have not the same shape */
export function compareAttention(approximate: AttentionResult, exact: AttentionResult): AttentionDifference {
  if (
    approximate.output.data.length !== exact.output.data.length ||
    approximate.lse.length !== exact.lse.length
  ) {
    throw new ShapeError(
      `compareAttention: ${approximate.lse.length} rows against ${exact.lse.length}; expected results on the same input.`,
    );
  }
  let [error, size] = [0, 0];
  exact.output.data.forEach((value, i) => {
    error += (approximate.output.data[i] - value) ** 2;
    size += value ** 2;
  });
  let [sum, largest] = [0, 0];
  exact.lse.forEach((value, i) => {
    const off = value === approximate.lse[i] ? 0 : Math.abs(approximate.lse[i] - value);
    sum += off;
    largest = Math.max(largest, off);
  });
  return {
    relativeError: error === 0 ? 0 : Math.sqrt(error / size),
    lseErrorMean: sum / Math.max(1, exact.lse.length),
    lseErrorLargest: largest,
  };
}
