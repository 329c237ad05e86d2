// Columns on a common scale: mean 0 and standard deviation 1 on the rows they were learned from.

import { requireLength } from './check.ts';
import { InvalidArgumentError } from './errors.ts';
import { type Matrix64, requireMatrix } from './matrix.ts';

export interface Standardization {
  /** Mean of each column, shape (d,). */
  means: Float64Array;
  /** Standard deviation (divisor n) of each column, shape (d,), > 0; 1 for a constant column. */
  scales: Float64Array;
}

/**
 * Means and standard deviations of columns.
 *
 * @param features - shape (n, d), n ≥ 1
 * @throws {InvalidArgumentError} there is no row
 *
 * Two passes, O(n d).
 */
export function columnStandardization(features: Matrix64): Standardization {
  requireMatrix('columnStandardization: features', features);
  const { data, rows, cols } = features;
  if (rows === 0) {
    throw new InvalidArgumentError('columnStandardization: features has no row; expected at least 1.');
  }
  const means = new Float64Array(cols);
  for (let i = 0; i < data.length; i++) means[i % cols] += data[i] / rows;
  const scales = new Float64Array(cols);
  for (let i = 0; i < data.length; i++) scales[i % cols] += (data[i] - means[i % cols]) ** 2 / rows;
  for (let j = 0; j < cols; j++) {
    const scale = Math.sqrt(scales[j]);
    // A constant column leaves rounding noise of this size, which must not be blown up to spread 1.
    scales[j] = scale > 1e-14 * Math.abs(means[j]) * Math.sqrt(rows) ? scale : 1;
  }
  return { means, scales };
}

/** (x − mean) / scale, a copy of shape (rows, d). @throws {ShapeError} another number of columns */
export function standardize(features: Matrix64, { means, scales }: Standardization): Matrix64 {
  requireMatrix('standardize: features', features);
  const { data, rows, cols } = features;
  requireLength('standardize: means', means, cols);
  requireLength('standardize: scales', scales, cols);
  return { data: data.map((value, i) => (value - means[i % cols]) / scales[i % cols]), rows, cols };
}
