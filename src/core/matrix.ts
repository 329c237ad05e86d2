// Dense row-major matrices: the one shape in which data passes between modules.

import { requireInteger } from './check.ts';
import { InvalidArgumentError, ShapeError } from './errors.ts';

/** Row-major float32 matrix of shape (rows, cols); `data.length` = rows · cols. Row i starts at i · cols. */
export interface Matrix32 {
  data: Float32Array;
  rows: number;
  cols: number;
}

/** Row-major float64 matrix of shape (rows, cols). */
export interface Matrix64 {
  data: Float64Array;
  rows: number;
  cols: number;
}

/** @throws {ShapeError} `data.length` ≠ rows · cols */
export function requireMatrix(name: string, { data, rows, cols }: Matrix32 | Matrix64): void {
  requireInteger(`${name}.rows`, rows, 0);
  requireInteger(`${name}.cols`, cols, 0);
  if (data.length !== rows * cols) {
    throw new ShapeError(
      `${name}: data has ${data.length} entries; expected rows × cols = ${rows} × ${cols} = ${rows * cols}.`,
    );
  }
}

/** @throws {InvalidArgumentError} naming row and column of the first entry that is NaN or infinite */
export function requireFiniteMatrix(name: string, { data, cols }: Matrix32 | Matrix64): void {
  for (let i = 0; i < data.length; i++) {
    if (!Number.isFinite(data[i])) {
      throw new InvalidArgumentError(
        `${name} is ${data[i]} at row ${Math.floor(i / cols)}, column ${i % cols}; expected finite numbers. ` +
          'Drop or repair that row.',
      );
    }
  }
}

/** View of row i, shape (cols,): no copy. */
export function row({ data, cols }: Matrix32, i: number): Float32Array {
  return data.subarray(i * cols, (i + 1) * cols);
}

/** Copy of the given rows in the given order, shape (indices.length, cols). */
export function takeRows(matrix: Matrix32, indices: ArrayLike<number>): Matrix32 {
  const { cols } = matrix;
  const data = new Float32Array(indices.length * cols);
  for (let i = 0; i < indices.length; i++) data.set(row(matrix, indices[i]), i * cols);
  return { data, rows: indices.length, cols };
}

/** Columns side by side, shape (length of each, columns.length). @throws {ShapeError} they differ in length */
export function matrixFromColumns(columns: readonly Float64Array[]): Matrix64 {
  const [rows, cols] = [columns[0]?.length ?? 0, columns.length];
  const data = new Float64Array(rows * cols);
  columns.forEach((column, j) => {
    if (column.length !== rows) {
      throw new ShapeError(`matrixFromColumns: column ${j} has length ${column.length}; expected ${rows}.`);
    }
    for (let i = 0; i < rows; i++) data[i * cols + j] = column[i];
  });
  return { data, rows, cols };
}

/** A run of consecutive rows of a source. */
export interface RowBlock {
  /** Index of the first row in the source. */
  start: number;
  /** Shape (rows in block, cols). Valid until the next block is asked for: the reader may reuse its memory. */
  points: Matrix32;
}

/**
 * Rows that need not fit in memory: a matrix, a table column, a file. Can be passed over any number of times, always in the same order.
 */
export interface RowSource {
  readonly rows: number;
  readonly cols: number;
  /** One pass over all rows in order, in blocks of at most `maxRows` rows (default: about 64 MiB). */
  blocks(maxRows?: number): AsyncIterable<RowBlock>;
}

const BLOCK_BYTES = 1 << 26;

/** Rows per block of `cols` float32 columns that fill about 64 MiB. */
export function defaultBlockRows(cols: number): number {
  return Math.max(1, Math.floor(BLOCK_BYTES / (4 * Math.max(1, cols))));
}

/** A matrix in memory as a source; blocks are views, nothing is copied. */
export function matrixSource(matrix: Matrix32): RowSource {
  const { data, rows, cols } = matrix;
  return {
    rows,
    cols,
    async *blocks(maxRows = defaultBlockRows(cols)) {
      for (let start = 0; start < rows; start += maxRows) {
        const count = Math.min(maxRows, rows - start);
        yield {
          start,
          points: { data: data.subarray(start * cols, (start + count) * cols), rows: count, cols },
        };
      }
    },
  };
}

/** A source as it is, a matrix wrapped as one. */
export function toSource(points: Matrix32 | RowSource): RowSource {
  return 'blocks' in points ? points : matrixSource(points);
}
