// The rows that take part: checked for NaN, optionally normalised, with the ids they have outside.

import { requireLength, requireNonNegative, requireOneOf } from '../core/check.ts';
import { DataError, InvalidArgumentError } from '../core/errors.ts';
import { type Matrix32, type RowBlock, type RowSource, toSource } from '../core/matrix.ts';

export interface PoolOptions {
  /** Rows with NaN or infinite embeddings: an error naming the first, or left out and listed. Default `reject`. */
  onInvalid?: 'reject' | 'drop' | undefined;
  /** `cosine` divides every row by its norm first. Default `euclidean`. */
  metric?: 'euclidean' | 'cosine' | undefined;
  /** u ≥ 0, shape (rows of the input,). Default: ones. */
  rowWeights?: ArrayLike<number> | undefined;
  signal?: AbortSignal | undefined;
}

export interface Pool {
  /** The rows that take part, in order. */
  source: RowSource;
  /** Outside id of each row, or undefined when it is the position. */
  ids: Uint32Array | undefined;
  /** Outside ids of the rows left out. */
  dropped: Uint32Array;
  /** u of the rows that take part. */
  rowWeights: Float64Array | undefined;
}

/**
 * Looks at every row once and sets bad ones aside.
 *
 * @throws {DataError} a row is not finite and `onInvalid` is `reject`; or no row is left
 * @throws {InvalidArgumentError} row weights are negative, or a zero row cannot be normalised
 *
 * One pass, O(n d), memory O(block).
 */
export async function preparePool(
  points: Matrix32 | RowSource,
  { onInvalid = 'reject', metric = 'euclidean', rowWeights, signal }: PoolOptions,
): Promise<Pool> {
  requireOneOf('selectData: onInvalid', onInvalid, ['reject', 'drop']);
  requireOneOf('selectData: metric', metric, ['euclidean', 'cosine']);
  const input = toSource(points);
  if (rowWeights) {
    requireLength('selectData: rowWeights', rowWeights, input.rows);
    requireNonNegative('selectData: rowWeights', rowWeights);
  }
  const invalid: number[] = [];
  for await (const { start, points: block } of input.blocks()) {
    signal?.throwIfAborted();
    for (let i = 0; i < block.rows; i++) {
      const fault = faultOf(block, i, metric);
      if (fault === undefined) continue;
      if (onInvalid === 'reject') {
        throw new DataError(
          `selectData: row ${start + i} of the embeddings ${fault}; expected finite numbers${metric === 'cosine' ? ' and a direction' : ''}. ` +
            'Repair the row, or pass onInvalid: "drop" to leave such rows out.',
        );
      }
      invalid.push(start + i);
    }
  }
  if (input.rows - invalid.length < 1) {
    throw new DataError(
      `selectData: ${input.rows} rows, of which ${invalid.length} are not finite; expected at least one row to select from.`,
    );
  }

  const dropped = Uint32Array.from(invalid);
  const kept = dropped.length > 0 ? keptRows(input.rows, dropped) : undefined;
  let source = kept ? filteredSource(input, kept) : input;
  if (metric === 'cosine') source = normalizedSource(source);
  const weights =
    rowWeights &&
    Float64Array.from(kept ?? { length: input.rows }, (e, i) => rowWeights[kept ? (e as number) : i]);
  if (weights && !weights.some((u) => u > 0)) {
    throw new InvalidArgumentError(
      'selectData: rowWeights are all 0; expected at least one row of weight > 0.',
    );
  }
  return { source, ids: kept, dropped, rowWeights: weights };
}

/** Outside id of a row of the pool. */
export function outsideId({ ids }: Pool, row: number): number {
  return ids ? ids[row] : row;
}

/** Outside ids of rows of the pool. */
export function outsideIds({ ids }: Pool, rows: Uint32Array): Uint32Array {
  return ids ? rows.map((row) => ids[row]) : rows;
}

function faultOf({ data, cols }: Matrix32, i: number, metric: 'euclidean' | 'cosine'): string | undefined {
  let square = 0;
  for (let j = i * cols; j < (i + 1) * cols; j++) square += data[j] * data[j];
  // A square of a finite float32 is finite in float64, so the sum tells NaN and ∞ of any entry.
  if (!Number.isFinite(square)) {
    const j = data.subarray(i * cols, (i + 1) * cols).findIndex((x) => !Number.isFinite(x));
    return `is ${data[i * cols + j]} in column ${j}`;
  }
  return metric === 'cosine' && square === 0 ? 'is all zeros' : undefined;
}

function keptRows(rows: number, dropped: Uint32Array): Uint32Array {
  const kept = new Uint32Array(rows - dropped.length);
  let next = 0;
  for (let e = 0, j = 0; e < rows; e++) {
    if (dropped[next] === e) next++;
    else kept[j++] = e;
  }
  return kept;
}

/** The given rows (ascending) of a source, as a source. */
function filteredSource(source: RowSource, kept: Uint32Array): RowSource {
  return {
    rows: kept.length,
    cols: source.cols,
    async *blocks(maxRows?: number): AsyncGenerator<RowBlock> {
      let next = 0;
      for await (const { start, points } of source.blocks(maxRows)) {
        const first = next;
        while (next < kept.length && kept[next] < start + points.rows) next++;
        if (next === first) continue;
        const data = new Float32Array((next - first) * points.cols);
        for (let j = first; j < next; j++) {
          const i = kept[j] - start;
          data.set(points.data.subarray(i * points.cols, (i + 1) * points.cols), (j - first) * points.cols);
        }
        yield { start: first, points: { data, rows: next - first, cols: points.cols } };
      }
    },
  };
}

/** Every row divided by its Euclidean norm. */
function normalizedSource(source: RowSource): RowSource {
  return {
    rows: source.rows,
    cols: source.cols,
    async *blocks(maxRows?: number): AsyncGenerator<RowBlock> {
      for await (const { start, points } of source.blocks(maxRows)) {
        const { rows, cols } = points;
        const data = new Float32Array(rows * cols);
        for (let i = 0; i < rows; i++) {
          let square = 0;
          for (let j = i * cols; j < (i + 1) * cols; j++) square += points.data[j] ** 2;
          const norm = Math.sqrt(square);
          for (let j = i * cols; j < (i + 1) * cols; j++) data[j] = points.data[j] / norm;
        }
        yield { start, points: { data, rows, cols } };
      }
    },
  };
}
