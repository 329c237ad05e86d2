// The one shape of the tables with a response: regression, binary, counts. And what every experiment does with them first.

import { requireInteger, requireProbability } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import type { Matrix64 } from '../../core/matrix.ts';
import { createRng, shuffle } from '../../core/rng.ts';
import { columnStandardization, type Standardization, standardize } from '../../core/standardize.ts';

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
export interface Standardizer extends Standardization {
  /** (x − mean) / scale, a copy of shape (rows, d). @throws {ShapeError} another number of columns */
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
  const learned = columnStandardization(features);
  return { ...learned, apply: (other) => standardize(other, learned) };
}
