// What a clustering is, and the choices every function of this folder shares.

import type { Matrix32 } from '../core/matrix.ts';

/** How the first centers are chosen. */
export type SeedingMethod = 'greedy' | 'k-means++' | 'afk-mc2' | 'k-means||' | 'random';

/** How rows are assigned to centers. All give the labels of plain Lloyd; they differ in time and memory. */
export type KMeansAlgorithm = 'auto' | 'lloyd' | 'hamerly' | 'yinyang' | 'elkan';

/** Something a user should know that happened on the way. */
export type ClusteringEvent =
  | {
      type: 'k-reduced';
      /** Clusters asked for. */
      requested: number;
      /** Clusters made: there were no more distinct rows (of positive weight) to put centers on. */
      actual: number;
    }
  | {
      type: 'empty-cluster';
      /** Iteration, from 1, after which the cluster had no weight; 0 for the final assignment. */
      iteration: number;
      cluster: number;
      /** Row its center was moved to: the one farthest from its own center. */
      row: number;
    }
  | {
      type: 'algorithm-switch';
      /** First iteration, from 1, of the new algorithm. */
      iteration: number;
      from: KMeansAlgorithm;
      to: KMeansAlgorithm;
    }
  | {
      type: 'trained-on-sample';
      /** Rows the centers were computed from, a uniform sample. */
      rows: number;
      /** Rows altogether. */
      of: number;
    };

/** One pass of assignment and update. */
export interface IterationStatistics {
  /**
   * Objective at the centers this iteration started from, over the rows trained on. Lloyd sums the distances; the bounded algorithms, which
   * do not know them all, take it from the clusters' sums, to about 1e-15 of the data's total scatter.
   */
  inertia: number;
  /** Rows whose label changed (all of them in the first iteration). */
  changed: number;
  /** Rows compared with many centers, the rest having been settled by their bounds. */
  scanned: number;
  /** Σ‖Δc‖² of the update that followed; 0 when there was none. */
  shift: number;
}

/** A partition of n rows into k clusters, each with a center. */
export interface Clustering {
  /** Shape (k, d). */
  centers: Matrix32;
  /** Index of the nearest center, ties to the lowest; shape (n,). Every cluster has at least one row. */
  labels: Uint32Array;
  /** Squared distance to the own center, computed directly in float64, shape (n,). With `spherical`: of the normalised row. */
  distances: Float64Array;
  /** Weight of the rows of each cluster (their number, when rows have no weights), shape (k,). */
  counts: Float64Array;
  /** Σ weight · distance^power over all rows, summed in float64 from `distances`. */
  inertia: number;
  /** Passes over the training rows. */
  iterations: number;
  /** The labels stopped changing, or the centers moved less than `tolerance`, before `maxIterations`. */
  converged: boolean;
  /** One entry per iteration of the restart that won. */
  history: IterationStatistics[];
  /** What was repaired, reduced or switched; empty when nothing was. */
  events: ClusteringEvent[];
  /** Seed that repeats the result. */
  seed: number;
  /** Kernels that computed it: "native avx512". */
  backend: string;
}
