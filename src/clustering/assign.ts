// Exact assignment of rows to given centers.

import { requireInteger } from '../core/check.ts';
import { InvalidArgumentError, ShapeError } from '../core/errors.ts';
import { type Matrix32, type RowSource, requireFiniteMatrix, requireMatrix } from '../core/matrix.ts';
import type { Progress, RunOptions } from '../core/progress.ts';
import { type Kernels, loadKernels } from '../kernels/index.ts';
import { Rows } from './rows.ts';

export interface Assignment {
  /** Index of the nearest center, ties to the lowest, shape (n,). */
  labels: Uint32Array;
  /** Squared distance to it, computed directly in float64, shape (n,). */
  distances: Float64Array;
}

/**
 * Finds for each row the nearest of the given centers.
 *
 * @param points - shape (n, d); n = 0 gives empty arrays
 * @param centers - shape (k, d), k ≥ 1
 * @throws {ShapeError} column counts differ @throws {InvalidArgumentError} no centers, or an entry is NaN or infinite (naming the row)
 *
 * Time O(n k d), memory 12 bytes a row and one tile; one pass. Same result for any block size.
 */
export async function assignToCenters(
  points: Matrix32 | RowSource,
  centers: Matrix32,
  { signal, onProgress }: RunOptions = {},
): Promise<Assignment> {
  requireMatrix('assignToCenters: centers', centers);
  requireFiniteMatrix('assignToCenters: centers', centers);
  requireInteger('assignToCenters: centers.rows', centers.rows, 1);
  requireSameColumns('assignToCenters', points.cols, centers);
  const rows = new Rows('assignToCenters: points', points, { signal });
  // The centers' mean is as near to the data as its own mean, for what it is needed.
  const origin = new Float32Array(centers.cols);
  for (let p = 0; p < centers.cols; p++) {
    let sum = 0;
    for (let j = 0; j < centers.rows; j++) sum += centers.data[j * centers.cols + p];
    origin[p] = sum / centers.rows;
  }
  const labels = new Uint32Array(rows.rows);
  const distances = new Float64Array(rows.rows);
  await assignAll(
    { rows, kernels: await loadKernels(), origin },
    centers.data,
    labels,
    distances,
    onProgress,
  );
  return { labels, distances };
}

/** @throws {ShapeError} `centers` has not `cols` columns */
export function requireSameColumns(name: string, cols: number, centers: Matrix32): void {
  if (centers.cols !== cols) {
    throw new ShapeError(
      `${name}: points have ${cols} columns, centers ${centers.cols}; expected equal column counts.`,
    );
  }
}

/** One pass that writes labels and squared distances of all rows. @throws {InvalidArgumentError} naming the first row not finite */
export async function assignAll(
  { rows, kernels, origin }: { rows: Rows; kernels: Kernels; origin: Float32Array },
  centers: Float32Array,
  labels: Uint32Array,
  distances: Float64Array,
  onProgress?: ((progress: Progress) => void) | undefined,
): Promise<void> {
  for await (const tile of rows.tiles()) {
    const end = tile.start + tile.rows;
    const found = distances.subarray(tile.start, end);
    await kernels.nearest({
      points: tile.data,
      rows: tile.rows,
      dim: rows.cols,
      centers,
      centerCount: centers.length / rows.cols,
      origin,
      labels: labels.subarray(tile.start, end),
      distances: found,
    });
    // Centers are finite: a distance that is not tells of a row that is not.
    if (!found.every(Number.isFinite)) {
      rows.requireFinite(tile);
      throw new InvalidArgumentError(
        'assignment: a squared distance overflows float64. Scale the data down.',
      );
    }
    onProgress?.({ phase: 'assignment', done: end, total: rows.rows });
  }
}
