// A partition with one representative row per part: from k-means and medoid rounding, or given by the caller.

import { type Clustering, kMeans, roundToMedoids } from '../clustering/index.ts';
import { requireLength, requireNonNegative } from '../core/check.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import { type Matrix32, type RowSource, toSource } from '../core/matrix.ts';
import type { RunOptions } from '../core/progress.ts';

/** Parts C₁ … C_k and their representatives. */
export interface Partition {
  /** Part of each row, shape (n,), each < k. */
  labels: Uint32Array;
  /** Row that stands for each part, a member of it, shape (k,). */
  representatives: Uint32Array;
  /** Squared Euclidean distance of each row to its representative, shape (n,). */
  distances: Float64Array;
  /** Kernels that clustered: "native avx512"; undefined for a partition given with its representatives. */
  backend?: string | undefined;
}

/** What a caller may bring instead: a clustering with centers, or representatives with or without distances. */
export type GivenClustering =
  | Pick<Clustering, 'labels' | 'centers'>
  | { labels: Uint32Array; representatives: Uint32Array; distances?: Float64Array | undefined };

/**
 * Clusters the rows by k-means and rounds each center to the nearest row of its cluster.
 *
 * The number of parts can be smaller than k when rows coincide. Memory beside the source: 20 bytes per row.
 */
export async function clusterRows(
  source: RowSource,
  {
    k,
    seed,
    rowWeights,
    signal,
    onProgress,
  }: RunOptions & { k: number; seed: number; rowWeights?: Float64Array | undefined },
): Promise<Partition> {
  const { labels, centers, backend } = await kMeans(source, {
    k,
    seed,
    signal,
    onProgress,
    ...(rowWeights ? { weights: rowWeights } : {}),
  });
  return { ...(await roundCenters(source, labels, centers)), backend };
}

/**
 * Completes a clustering that the caller brings.
 *
 * @throws {ShapeError} labels or distances do not have one entry per row
 * @throws {InvalidArgumentError} a label has no representative, or a representative lies in another part
 */
export async function completePartition(source: RowSource, given: GivenClustering): Promise<Partition> {
  requireLength('selectData: clustering.labels', given.labels, source.rows);
  if ('centers' in given) {
    requireLabels(given.labels, given.centers.rows);
    return roundCenters(source, given.labels, given.centers);
  }
  const { labels, representatives } = given;
  requireLabels(labels, representatives.length);
  const compact = dropEmptyParts(labels, representatives);
  for (let i = 0; i < compact.representatives.length; i++) {
    const row = compact.representatives[i];
    if (row >= source.rows || compact.labels[row] !== i) {
      throw new InvalidArgumentError(
        `selectData: clustering.representatives names row ${row}; expected a member of the part it stands for.`,
      );
    }
  }
  if (given.distances) {
    requireLength('selectData: clustering.distances', given.distances, source.rows);
    requireNonNegative('selectData: clustering.distances', given.distances);
    return { ...compact, distances: given.distances };
  }
  return {
    ...compact,
    distances: await distancesToRepresentatives(source, compact.labels, compact.representatives),
  };
}

/**
 * Squared Euclidean distance of every row to the representative of its part, in float64.
 *
 * Two passes over the rows: one collects the representatives, one measures. O(n d), memory O(k d + n).
 */
export async function distancesToRepresentatives(
  points: Matrix32 | RowSource,
  labels: Uint32Array,
  representatives: Uint32Array,
): Promise<Float64Array> {
  const source = toSource(points);
  const { cols } = source;
  const centers = new Float32Array(representatives.length * cols);
  const wanted = new Map<number, number>();
  representatives.forEach((row, i) => {
    wanted.set(row, i);
  });
  for await (const { start, points: block } of source.blocks()) {
    for (let i = 0; i < block.rows; i++) {
      const part = wanted.get(start + i);
      if (part !== undefined) centers.set(block.data.subarray(i * cols, (i + 1) * cols), part * cols);
    }
  }
  const distances = new Float64Array(source.rows);
  for await (const { start, points: block } of source.blocks()) {
    for (let i = 0; i < block.rows; i++) {
      const a = i * cols;
      const b = labels[start + i] * cols;
      let square = 0;
      for (let j = 0; j < cols; j++) square += (block.data[a + j] - centers[b + j]) ** 2;
      distances[start + i] = square;
    }
  }
  return distances;
}

async function roundCenters(source: RowSource, labels: Uint32Array, centers: Matrix32): Promise<Partition> {
  const { labels: compact, kept } = compactLabels(labels, centers.rows);
  const filled = kept.length === centers.rows ? centers : pickCenters(centers, kept);
  const { medoids, distances } = await roundToMedoids(source, { labels: compact, centers: filled });
  return { labels: compact, representatives: medoids, distances };
}

function requireLabels(labels: Uint32Array, k: number): void {
  for (let e = 0; e < labels.length; e++) {
    if (!(labels[e] < k)) {
      throw new InvalidArgumentError(
        `selectData: clustering.labels[${e}] is ${labels[e]}; expected an index below the ${k} representatives.`,
      );
    }
  }
}

function dropEmptyParts(
  labels: Uint32Array,
  representatives: Uint32Array,
): Pick<Partition, 'labels' | 'representatives'> {
  const { labels: compact, kept } = compactLabels(labels, representatives.length);
  return { labels: compact, representatives: Uint32Array.from(kept, (i) => representatives[i]) };
}

/** Renumbers parts so that none is empty. @returns the labels themselves when none was */
function compactLabels(labels: Uint32Array, k: number): { labels: Uint32Array; kept: number[] } {
  const filled = new Uint8Array(k);
  for (const i of labels) filled[i] = 1;
  const kept: number[] = [];
  const renumbered = new Uint32Array(k);
  for (let i = 0; i < k; i++) {
    renumbered[i] = kept.length;
    if (filled[i] === 1) kept.push(i);
  }
  return { labels: kept.length === k ? labels : labels.map((i) => renumbered[i]), kept };
}

function pickCenters({ data, cols }: Matrix32, kept: number[]): Matrix32 {
  const picked = new Float32Array(kept.length * cols);
  kept.forEach((i, j) => {
    picked.set(data.subarray(i * cols, (i + 1) * cols), j * cols);
  });
  return { data: picked, rows: kept.length, cols };
}
