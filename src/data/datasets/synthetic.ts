// Synthetic rows whose truth is known: clusters with Hölder losses, the same with outliers, and a heavy-tailed regression.

import { requireInteger, requireNumber } from '../../core/check.ts';
import type { Matrix32 } from '../../core/matrix.ts';
import { createRng } from '../../core/rng.ts';

export interface MixtureOptions {
  /** Rows, ≥ clusters. Default 10 000. */
  rows?: number;
  /** Columns. Default 16. */
  cols?: number;
  /** Number of clusters. Default 20. */
  clusters?: number;
  /** Standard deviation of the cluster centers; rows have 1 around theirs. Default 10. */
  spread?: number;
  /** Loss per unit of distance, Λ ≥ 0, of every cluster. Default: drawn for each, uniform in [0.05, 0.5). */
  lambda?: number;
  /**
   * Cluster sizes are drawn, falling as 1/rank^zipf; at 0 they are equal, row i being in cluster i mod `clusters`.
   * Default 0, in `outlierMixture` 1.
   */
  zipf?: number;
  /** Share of rows moved out to `outlierScale` times their distance from the origin, in [0, 1). Default 0, in `outlierMixture` 0.001. */
  outliers?: number;
  /** How far outliers are moved. Default 100. */
  outlierScale?: number;
  /** Default 0. */
  seed?: number;
}

/** Rows in clusters, each with a loss that is Hölder in the distance to its center, with known constants. */
export interface Mixture {
  /** Shape (rows, cols). */
  points: Matrix32;
  /** Cluster of each row, shape (rows,). */
  labels: Uint32Array;
  /** The row of each cluster that lies exactly at its center, shape (clusters,): the constants hold around it. */
  representatives: Uint32Array;
  /** Squared distance of each row to the representative of its cluster, shape (rows,). */
  distances: Float64Array;
  /** Loss of each row, ≥ 0, shape (rows,): |loss(e) − loss(representative)| ≤ lambda[label] · √distance. */
  losses: Float64Array;
  /** Λ of each cluster, shape (clusters,), loss per unit of distance. */
  lambda: Float64Array;
  /** Rows that were moved out, ascending. */
  outliers: Uint32Array;
}

/**
 * A mixture of unit normals whose loss is base + Λ ‖e − c‖ u with u uniform in (−1, 1), clipped at 0: well-behaved in the
 * sense of arXiv 2402.17327 by construction (power 1).
 *
 * Clipping keeps the Hölder property, since the base is ≥ 0. Bases are uniform in [0, 2).
 *
 * @throws {InvalidArgumentError} an option leaves its range
 */
export function gaussianMixture({
  rows = 10_000,
  cols = 16,
  clusters = 20,
  spread = 10,
  lambda: commonLambda,
  zipf = 0,
  outliers = 0,
  outlierScale = 100,
  seed = 0,
}: MixtureOptions = {}): Mixture {
  requireInteger('gaussianMixture: clusters', clusters, 1);
  requireInteger('gaussianMixture: rows', rows, clusters);
  requireInteger('gaussianMixture: cols', cols, 1);
  requireNumber('gaussianMixture: spread', spread, 0);
  if (commonLambda !== undefined) requireNumber('gaussianMixture: lambda', commonLambda, 0);
  requireNumber('gaussianMixture: zipf', zipf, 0);
  requireNumber('gaussianMixture: outliers', outliers, 0, 1 - Number.EPSILON);
  requireNumber('gaussianMixture: outlierScale', outlierScale, 0);
  const rng = createRng(seed).fork('gaussian mixture');

  const centerRng = rng.fork('centers');
  // Rounded to float32 as the rows are, so that a center's own row lies exactly on it.
  const centers = Float32Array.from({ length: clusters * cols }, () => spread * centerRng.normal());
  const lossRng = rng.fork('loss');
  const base = Float64Array.from({ length: clusters }, () => 2 * lossRng.next());
  const lambda = Float64Array.from({ length: clusters }, () => commonLambda ?? 0.05 + 0.45 * lossRng.next());

  const shares = Float64Array.from({ length: clusters }, (_, c) => (c + 1) ** -zipf);
  const shareSum = shares.reduce((sum, share) => sum + share, 0);
  const outlierCount = Math.round(outliers * rows);
  const points = new Float32Array(rows * cols);
  const labels = new Uint32Array(rows);
  const distances = new Float64Array(rows);
  const losses = new Float64Array(rows);
  const rowRng = rng.fork('rows');
  for (let i = 0; i < rows; i++) {
    // The first rows are the centers; the last are the outliers. Neither order nor place tells an algorithm anything.
    const label = i < clusters || zipf === 0 ? i % clusters : drawShare(shares, shareSum * rowRng.next());
    const scale = i >= Math.max(clusters, rows - outlierCount) ? outlierScale : 1;
    for (let j = 0; j < cols; j++) {
      const center = centers[label * cols + j];
      const value = Math.fround(i < clusters ? center : scale * (center + rowRng.normal()));
      points[i * cols + j] = value;
      distances[i] += (value - center) ** 2;
    }
    labels[i] = label;
    const u = 2 * rowRng.next() - 1;
    losses[i] = Math.max(0, base[label] + lambda[label] * Math.sqrt(distances[i]) * u);
  }
  const firstOutlier = Math.max(clusters, rows - outlierCount);
  return {
    points: { data: points, rows, cols },
    labels,
    representatives: Uint32Array.from({ length: clusters }, (_, c) => c),
    distances,
    losses,
    lambda,
    outliers: Uint32Array.from({ length: rows - firstOutlier }, (_, i) => firstOutlier + i),
  };
}

/** `gaussianMixture` with Zipf cluster sizes and 0.1 % of rows at 100 times their distance. @throws {InvalidArgumentError} */
export function outlierMixture(options: MixtureOptions = {}): Mixture {
  return gaussianMixture({ zipf: 1, outliers: 0.001, ...options });
}

/** A linear regression problem. */
export interface RegressionData {
  /** Design matrix, shape (rows, cols), the last column being the intercept 1. */
  features: Matrix32;
  /** Shape (rows,). */
  targets: Float64Array;
}

export interface GasSensorOptions {
  /** Rows. Default 13 910, as in the data set it imitates. */
  rows?: number;
  /** Sensor columns, without the intercept. Default 128. */
  cols?: number;
  /** Default 0. */
  seed?: number;
}

/**
 * Readings like those of the UCI gas sensor array. A row has one of 6 gases, one of 10 batches and a log-dose L ~ N(0, 1); its readings are
 * base[gas] + |slope[gas]| · L + drift[batch] + noise (base and slope N(0, 1), drift sd 0.25, noise sd 0.15); 1 % of rows
 * are multiplied by a number in [2, 6); the target is L plus noise of sd 0.1. Columns are then standardised.
 *
 * @throws {InvalidArgumentError} an option leaves its range
 */
export function gasSensorRegression({
  rows = 13_910,
  cols = 128,
  seed = 0,
}: GasSensorOptions = {}): RegressionData {
  requireInteger('gasSensorRegression: rows', rows, 2);
  requireInteger('gasSensorRegression: cols', cols, 1);
  const [gases, batches] = [6, 10];
  const rng = createRng(seed).fork('gas sensors');
  const normals = (label: string, count: number, sd: number) => {
    const stream = rng.fork(label);
    return Float64Array.from({ length: count }, () => sd * stream.normal());
  };
  const base = normals('base', gases * cols, 1);
  const slope = normals('slope', gases * cols, 1).map(Math.abs);
  const drift = normals('drift', batches * cols, 0.25);

  const readings = new Float64Array(rows * cols);
  const targets = new Float64Array(rows);
  const stream = rng.fork('rows');
  for (let i = 0; i < rows; i++) {
    const gas = stream.integer(gases);
    const batch = stream.integer(batches);
    const dose = stream.normal();
    const factor = stream.next() < 0.01 ? 2 + 4 * stream.next() : 1;
    for (let j = 0; j < cols; j++) {
      const reading = base[gas * cols + j] + slope[gas * cols + j] * dose + drift[batch * cols + j];
      readings[i * cols + j] = factor * (reading + 0.15 * stream.normal());
    }
    targets[i] = dose + 0.1 * stream.normal();
  }
  return { features: standardise(readings, rows, cols), targets };
}

/** Columns to mean 0 and standard deviation 1, in float32, with a column of ones behind. */
function standardise(values: Float64Array, rows: number, cols: number): Matrix32 {
  const data = new Float32Array(rows * (cols + 1)).fill(1);
  for (let j = 0; j < cols; j++) {
    let mean = 0;
    for (let i = 0; i < rows; i++) mean += values[i * cols + j] / rows;
    let variance = 0;
    for (let i = 0; i < rows; i++) variance += (values[i * cols + j] - mean) ** 2 / rows;
    for (let i = 0; i < rows; i++) {
      data[i * (cols + 1) + j] = (values[i * cols + j] - mean) / Math.sqrt(variance);
    }
  }
  return { data, rows, cols: cols + 1 };
}

function drawShare(shares: Float64Array, target: number): number {
  let sum = 0;
  for (let c = 0; c < shares.length - 1; c++) {
    sum += shares[c];
    if (target < sum) return c;
  }
  return shares.length - 1;
}
