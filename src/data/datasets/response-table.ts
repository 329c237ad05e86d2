// The one shape of the tables with a response: regression, binary, counts. And what every experiment does with them first.

import { requireInteger, requireProbability } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import { type Matrix64, requireMatrix } from '../../core/matrix.ts';
import { createRng, shuffle } from '../../core/rng.ts';

/** Rows of numbers with one response each. */
export interface ResponseTable {
  name: string;
  /** Shape (n, d), in the units of the source. */
  features: Matrix64;
  /** Name of each column, d of them; a column "sector=construction" is 1 where the text column `sector` says "construction", else 0. */
  columns: readonly string[];
  /** Shape (n,). */
  response: Float64Array;
  /** What the response is, with its unit. */
  responseName: string;
  /** 'binary': 0 or 1. 'count': 0, 1, 2, … */
  kind: 'regression' | 'binary' | 'count';
  /** Columns of the source that were left out, and why. */
  dropped: readonly { column: string; reason: string }[];
}

/** Copy of the given rows, in the given order. */
export function takeTableRows(table: ResponseTable, ids: ArrayLike<number>): ResponseTable {
  const { features, response } = table;
  const { cols } = features;
  const data = new Float64Array(ids.length * cols);
  for (let i = 0; i < ids.length; i++) {
    requireInteger(`takeTableRows: ids[${i}]`, ids[i], 0, features.rows - 1);
    data.set(features.data.subarray(ids[i] * cols, (ids[i] + 1) * cols), i * cols);
  }
  return {
    ...table,
    features: { data, rows: ids.length, cols },
    response: Float64Array.from({ length: ids.length }, (_, i) => response[ids[i]]),
  };
}

export interface TrainTestOptions {
  /** Share of the rows to test on, in (0, 1). Default 0.25. */
  testShare?: number;
  /** Default 0. */
  seed?: number;
}

/**
 * Splits at random: round(testShare · n) rows to test on, at least one in each part.
 *
 * @throws {InvalidArgumentError} fewer than 2 rows, or an option leaves its range
 */
export function trainTestSplit(
  table: ResponseTable,
  { testShare = 0.25, seed = 0 }: TrainTestOptions = {},
): { train: ResponseTable; test: ResponseTable } {
  const { rows } = table.features;
  requireProbability('trainTestSplit: testShare', testShare);
  if (rows < 2) {
    throw new InvalidArgumentError(`trainTestSplit: ${table.name} has ${rows} rows; expected at least 2.`);
  }
  const order = shuffle(
    Uint32Array.from({ length: rows }, (_, i) => i),
    createRng(seed).fork('train-test split'),
  );
  const tested = Math.min(rows - 1, Math.max(1, Math.round(testShare * rows)));
  return {
    train: takeTableRows(table, order.subarray(tested)),
    test: takeTableRows(table, order.subarray(0, tested)),
  };
}

/** Moves and scales each column. */
export interface Standardizer {
  /** Mean of each column, shape (d,). */
  means: Float64Array;
  /** Standard deviation (divisor n) of each column, shape (d,); 1 for a constant column. */
  scales: Float64Array;
  /** (x − mean) / scale, a copy of shape (rows, d). @throws {InvalidArgumentError} another number of columns */
  apply(features: Matrix64): Matrix64;
}

/**
 * Learns means and standard deviations from the rows to train on, to apply them to these and to the rows to test on.
 *
 * @param features - shape (n, d), n ≥ 1
 * @throws {InvalidArgumentError} there is no row
 *
 * Two passes, O(n d).
 */
export function standardizer(features: Matrix64): Standardizer {
  requireMatrix('standardizer: features', features);
  const { data, rows, cols } = features;
  if (rows === 0) throw new InvalidArgumentError('standardizer: features has no row; expected at least 1.');
  const means = new Float64Array(cols);
  for (let i = 0; i < data.length; i++) means[i % cols] += data[i] / rows;
  const scales = new Float64Array(cols);
  for (let i = 0; i < data.length; i++) scales[i % cols] += (data[i] - means[i % cols]) ** 2 / rows;
  for (let j = 0; j < cols; j++) {
    const scale = Math.sqrt(scales[j]);
    // A constant column leaves rounding noise of this size, which must not be blown up to spread 1.
    scales[j] = scale > 1e-14 * Math.abs(means[j]) * Math.sqrt(rows) ? scale : 1;
  }
  return {
    means,
    scales,
    apply(other) {
      requireMatrix('standardizer: features', other);
      if (other.cols !== cols) {
        throw new InvalidArgumentError(`standardizer: features has ${other.cols} columns; expected ${cols}.`);
      }
      const scaled = new Float64Array(other.data.length);
      for (let i = 0; i < scaled.length; i++) {
        scaled[i] = (other.data[i] - means[i % cols]) / scales[i % cols];
      }
      return { data: scaled, rows: other.rows, cols };
    },
  };
}
