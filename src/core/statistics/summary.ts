// What an interval needs to know of a sample.

import { type NumericArray, requireFinite } from '../check.ts';
import { CompensatedSum, compensatedSum } from '../sums.ts';

/** Size, mean and variance of a sample. */
export interface SampleSummary {
  /** Number of values. */
  count: number;
  /** Their mean; 0 of nothing. */
  mean: number;
  /** Unbiased variance, Σ(x − mean)² / (count − 1); 0 for fewer than two values. */
  variance: number;
}

/**
 * Summarizes a sample in two compensated passes, so that a great common offset costs no digits.
 *
 * @throws {InvalidArgumentError} a value is NaN or infinite. O(n)
 */
export function summarize(values: NumericArray): SampleSummary {
  requireFinite('summarize: values', values);
  const count = values.length;
  if (count === 0) return { count, mean: 0, variance: 0 };
  const mean = compensatedSum(values) / count;
  const squares = new CompensatedSum();
  const rest = new CompensatedSum(); // Σ(x − mean): not 0, since the mean is rounded
  for (let i = 0; i < count; i++) {
    const deviation = values[i] - mean;
    squares.add(deviation * deviation);
    rest.add(deviation);
  }
  if (count === 1) return { count, mean, variance: 0 };
  return { count, mean, variance: Math.max(0, squares.value - rest.value ** 2 / count) / (count - 1) };
}
