// Clusters of a stream at a fixed radius: a row joins the nearest representative within δ, or becomes one.

import { requireInteger, requireLength } from '../core/check.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import type { Matrix32 } from '../core/matrix.ts';
import type { RunOptions } from '../core/progress.ts';
import { growArray } from './grow-array.ts';
import { nearestRow } from './nearest-row.ts';
import { nearestInTiles } from './nearest-tiles.ts';

export interface DeltaClustersOptions {
  /** Columns of a row, d ≥ 1. */
  dim: number;
  /** Largest distance to a representative, δ ≥ 0; Infinity puts all rows into one cluster. */
  delta: number;
}

/** All there is to a `DeltaClusters`, as plain arrays of exact length. */
export interface DeltaClustersState extends DeltaClustersOptions {
  /** Shape (m, dim), in the order they appeared. */
  representatives: Float32Array;
  /** Rows of each cluster, its representative included, shape (m,). */
  counts: Float64Array;
}

/**
 * One pass over a stream: each row joins the nearest representative (ties to the first) when that is at most δ away, by distances in
 * float64 from direct differences; else it becomes one. Representatives never move, so they are pairwise more than δ apart, every row is
 * within δ of its own, two rows of a cluster are within 2δ, and there are at most m of them when the rows can be cut into m sets of
 * diameter δ (no two representatives share one).
 *
 * Time O(m d) a row, memory O(m d). Source: SubGen, arXiv 2402.06082, the clustering of its softmax normaliser.
 */
export class DeltaClusters {
  readonly dim: number;
  readonly delta: number;
  /** Clusters, m. */
  size = 0;
  /** Rows 0 … size − 1 of shape (·, dim); the rest is room to grow. */
  representatives: Float32Array;
  /** Entries 0 … size − 1. */
  counts: Float64Array;

  /** @throws {InvalidArgumentError} `dim` or `delta` leaves its range */
  constructor({ dim, delta }: DeltaClustersOptions) {
    requireInteger('DeltaClusters: dim', dim, 1);
    if (!(delta >= 0))
      throw new InvalidArgumentError(`DeltaClusters: delta is ${delta}; expected a number ≥ 0 or Infinity.`);
    this.dim = dim;
    this.delta = delta;
    this.representatives = new Float32Array(dim);
    this.counts = new Float64Array(1);
  }

  /** The clusters as they were when `state` was taken. @throws {ShapeError} its arrays do not fit each other */
  static restore({ dim, delta, representatives, counts }: DeltaClustersState): DeltaClusters {
    const clusters = new DeltaClusters({ dim, delta });
    requireLength('DeltaClusters: state.representatives', representatives, counts.length * dim);
    if (counts.length === 0) return clusters;
    clusters.size = counts.length;
    clusters.representatives = representatives.slice();
    clusters.counts = counts.slice();
    return clusters;
  }

  /**
   * Takes one row, finite (not looked at).
   *
   * @param points - holds the row from entry `start` on
   * @returns its cluster; a new one has count 1
   */
  add(points: Float32Array, start = 0): number {
    const { dim, size } = this;
    const { center, squared } = nearestRow(points, start, this.representatives, { from: 0, to: size, dim });
    return this.put(points, start, center, squared);
  }

  /**
   * Takes rows in order, as `add` does one by one, with distances by the kernels.
   *
   * @param points - shape (n, dim), finite (not looked at)
   * @returns the cluster of each row, shape (n,)
   */
  async addAll(points: Matrix32, { signal }: RunOptions = {}): Promise<Uint32Array> {
    requireLength('DeltaClusters.addAll: points.data', points.data, points.rows * this.dim);
    const labels = new Uint32Array(points.rows);
    const known = () => ({ centers: this.representatives, count: this.size });
    for await (const tile of nearestInTiles(points, known, signal)) {
      for (let i = 0; i < tile.rows; i++) {
        const start = (tile.start + i) * this.dim;
        // The kernel knew the representatives from before the tile; those it opened are looked at here.
        const before = { center: tile.labels[i], squared: tile.distances[i] };
        const range = { from: tile.centers, to: this.size, dim: this.dim };
        const { center, squared } = nearestRow(points.data, start, this.representatives, range, before);
        labels[tile.start + i] = this.put(points.data, start, center, squared);
      }
    }
    return labels;
  }

  /** An independent copy. */
  copy(): DeltaClusters {
    return DeltaClusters.restore(this.state());
  }

  /** A snapshot to store, that `restore` reads. */
  state(): DeltaClustersState {
    const { dim, delta, size } = this;
    return {
      ...{ dim, delta },
      representatives: this.representatives.slice(0, size * dim),
      counts: this.counts.slice(0, size),
    };
  }

  /** Bytes of the arrays held. */
  get bytes(): number {
    return this.representatives.byteLength + this.counts.byteLength;
  }

  private put(points: Float32Array, start: number, center: number, squared: number): number {
    if (center >= 0 && Math.sqrt(squared) <= this.delta) {
      this.counts[center]++;
      return center;
    }
    const cluster = this.size++;
    this.representatives = growArray(this.representatives, this.size * this.dim);
    this.counts = growArray(this.counts, this.size);
    this.representatives.set(points.subarray(start, start + this.dim), cluster * this.dim);
    this.counts[cluster] = 1;
    return cluster;
  }
}
