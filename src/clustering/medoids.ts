// Medoid rounding: a row of the data to speak for each cluster.

import { requireInteger, requireLength } from '../core/check.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import { type Matrix32, type RowSource, requireFiniteMatrix, requireMatrix } from '../core/matrix.ts';
import type { RunOptions } from '../core/progress.ts';
import { directDistance } from '../kernels/index.ts';
import { requireSameColumns } from './assign.ts';
import { ownSquaredDistances } from './distance.ts';
import { Rows } from './rows.ts';

export interface MedoidOptions extends RunOptions {
  /** Cluster of each row, shape (n,). */
  labels: Uint32Array;
  /** Shape (k, d). */
  centers: Matrix32;
  /** Divide rows by their norms first, as the clustering did. Default false. */
  spherical?: boolean;
}

export interface Medoids {
  /** Row id of the medoid of each cluster, shape (k,). */
  medoids: Uint32Array;
  /** Squared distance of each row to the medoid of its cluster, shape (n,). */
  distances: Float64Array;
}

/**
 * Takes for each cluster the member row nearest to its center (ties to the lowest id). Labels are kept: a row may be nearer to another
 * medoid than to its own.
 *
 * When the centers are the clusters' means, Σ distance² is at most twice that to the means: it is Φ + |C|·‖m − μ‖² in a cluster, and
 * the nearest row is no farther from the mean than the average.
 *
 * @param points - shape (n, d)
 * @throws {ShapeError | InvalidArgumentError} shapes do not fit, a label is ≥ k, a cluster has no row, or a row is not finite
 *
 * Time O(n d), two passes. Sensitivity sampling (arXiv 2402.17327) needs members as representatives: their losses can be asked for.
 */
export async function roundToMedoids(
  points: Matrix32 | RowSource,
  { labels, centers, spherical = false, signal }: MedoidOptions,
): Promise<Medoids> {
  requireMatrix('roundToMedoids: centers', centers);
  requireFiniteMatrix('roundToMedoids: centers', centers);
  requireInteger('roundToMedoids: centers.rows', centers.rows, 1);
  requireSameColumns('roundToMedoids', points.cols, centers);
  requireLength('roundToMedoids: labels', labels, points.rows);
  const bad = labels.findIndex((label) => label >= centers.rows);
  if (bad >= 0) {
    throw new InvalidArgumentError(
      `roundToMedoids: labels[${bad}] is ${labels[bad]}; expected an index of a center, < ${centers.rows}.`,
    );
  }
  const rows = new Rows('roundToMedoids: points', points, { spherical, signal });
  const { cols } = rows;
  const medoids = new Uint32Array(centers.rows);
  const medoidRows = new Float32Array(centers.rows * cols);
  const least = new Float64Array(centers.rows).fill(Infinity);
  for await (const tile of rows.tiles()) {
    for (let i = 0; i < tile.rows; i++) {
      const label = labels[tile.start + i];
      const distance = directDistance(tile.data, i * cols, centers.data, label * cols, cols);
      if (!Number.isFinite(distance)) rows.requireFinite(tile);
      if (!(distance < least[label])) continue;
      least[label] = distance;
      medoids[label] = tile.start + i;
      medoidRows.set(tile.data.subarray(i * cols, (i + 1) * cols), label * cols);
    }
  }
  const empty = least.indexOf(Infinity);
  if (empty >= 0) {
    throw new InvalidArgumentError(
      `roundToMedoids: cluster ${empty} has no row; expected at least one per center. Drop the centers without rows.`,
    );
  }
  const distances = new Float64Array(rows.rows);
  await ownSquaredDistances(rows, labels, medoidRows, distances);
  return { medoids, distances };
}
