// The options of kMeans and miniBatchKMeans: their meaning, defaults and domains.

import { requireInteger, requireNumber, requireOneOf, requirePositive, requireSeed } from '../core/check.ts';
import { InvalidArgumentError, ShapeError } from '../core/errors.ts';
import { type Matrix32, type RowSource, requireFiniteMatrix, requireMatrix } from '../core/matrix.ts';
import type { RunOptions } from '../core/progress.ts';
import { requireSameColumns } from './assign.ts';
import { requireWeights } from './check-weights.ts';
import { SEEDING_METHODS } from './seeding/seed-centers.ts';
import type { KMeansAlgorithm, SeedingMethod } from './types.ts';

/** What kMeans and miniBatchKMeans share. */
export interface ClusteringOptions extends RunOptions {
  /** Clusters wanted, ≥ 1. */
  k: number;
  /** Unsigned 32-bit integer. Default 0. */
  seed?: number;
  /**
   * How to choose the first centers, or the centers themselves, shape (k, d). Default 'greedy' for k ≤ 256 in memory, else
   * 'k-means||', which needs few passes and at k = 1000 a third of the time.
   */
  init?: SeedingMethod | Matrix32;
  /** Weight of each row, finite and ≥ 0, not all 0, shape (n,): a row of weight 3 counts as three rows. Default: ones. */
  weights?: Float64Array | undefined;
  /** Cluster directions: rows are divided by their norms, centers put back on the unit sphere. Default false. */
  spherical?: boolean;
  /**
   * Compute the centers from at most k times so many rows, a uniform sample held in memory, and assign all rows to them at the
   * end. It caps the rows trained on, not the size of a cluster. Default: Infinity (all rows) for a matrix; for a source 256, or
   * as many as fit in 512 MiB, but at least 39.
   */
  trainRowsPerCenter?: number;
}

export interface KMeansOptions extends ClusteringOptions {
  /** How rows are assigned; time and memory differ, labels do not. Default 'auto'. */
  algorithm?: KMeansAlgorithm;
  /** Passes at most, ≥ 1. Default 100. */
  maxIterations?: number;
  /** Stop when Σ‖Δc‖² ≤ tolerance · mean variance of the columns, ≥ 0. Default 1e-4; 0 runs until no label changes. */
  tolerance?: number;
  /** Objective Σ weight · distance^power: 2 for means, 1 for medians (by Weiszfeld steps, Lloyd only). Default 2. */
  power?: 1 | 2;
  /** Runs from different starts, of which the one of least inertia is kept, ≥ 1. Default 1. */
  restarts?: number;
  /** Bytes that the bounds of 'yinyang' and 'elkan' may take: Yinyang then keeps fewer, Elkan refuses. Default 1 GiB. */
  boundMemory?: number;
}

export const KMEANS_ALGORITHMS: readonly KMeansAlgorithm[] = ['auto', 'lloyd', 'hamerly', 'yinyang', 'elkan'];

/** Rows per center of the sample that centers are computed from when the data is not in memory: as faiss, at most and at least. */
const SOURCE_TRAIN_ROWS = { most: 256, least: 39 };

/** Bytes that this sample may take before it is cut to fewer rows per center. */
const SOURCE_TRAIN_BYTES = 2 ** 29;

/** @throws {InvalidArgumentError | ShapeError} naming the option that leaves its domain @returns rows to train on per center */
export function checkClusteringOptions(
  name: string,
  points: Matrix32 | RowSource,
  { k, seed = 0, init, weights, trainRowsPerCenter }: ClusteringOptions,
): number {
  requireInteger(`${name}: k`, k, 1);
  requireSeed(`${name}: seed`, seed);
  requireInteger(`${name}: points.rows`, points.rows, 1);
  requireWeights(`${name}: weights`, weights, points.rows);
  if (typeof init === 'string') requireOneOf(`${name}: init`, init, SEEDING_METHODS);
  else if (init) {
    requireMatrix(`${name}: init`, init);
    requireFiniteMatrix(`${name}: init`, init);
    requireSameColumns(name, points.cols, init);
    if (init.rows !== k) {
      throw new ShapeError(`${name}: init has ${init.rows} rows; expected one per center, k = ${k}.`);
    }
  }
  if (trainRowsPerCenter === Infinity) return Infinity;
  if (trainRowsPerCenter !== undefined) {
    requireInteger(`${name}: trainRowsPerCenter`, trainRowsPerCenter, 1);
    return trainRowsPerCenter;
  }
  if (!('blocks' in points)) return Infinity;
  const affordable = Math.floor(SOURCE_TRAIN_BYTES / (4 * points.cols * k));
  return Math.max(SOURCE_TRAIN_ROWS.least, Math.min(SOURCE_TRAIN_ROWS.most, affordable));
}

/** As `checkClusteringOptions`, with the options of kMeans alone. */
export function checkKMeansOptions(points: Matrix32 | RowSource, options: KMeansOptions): number {
  const { algorithm = 'auto', maxIterations = 100, tolerance = 1e-4, power = 2, restarts = 1 } = options;
  const { spherical = false, boundMemory = 2 ** 30 } = options;
  const trainRows = checkClusteringOptions('kMeans', points, options);
  requireOneOf('kMeans: algorithm', algorithm, KMEANS_ALGORITHMS);
  requireInteger('kMeans: maxIterations', maxIterations, 1);
  requireNumber('kMeans: tolerance', tolerance, 0);
  requireInteger('kMeans: restarts', restarts, 1);
  requirePositive('kMeans: boundMemory', boundMemory);
  requireInteger('kMeans: power', power, 1, 2);
  if (power === 1 && (spherical || (algorithm !== 'auto' && algorithm !== 'lloyd'))) {
    throw new InvalidArgumentError(
      `kMeans: power is 1 with ${spherical ? 'spherical' : `algorithm "${algorithm}"`}; expected plain Lloyd, since medians ` +
        "need every distance in every pass. Use algorithm 'lloyd' and no spherical, or power 2.",
    );
  }
  return trainRows;
}
