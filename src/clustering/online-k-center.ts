// k-center of a stream: at most K centers at any time, a radius within a constant of the best for all rows so far.

import { requireInteger, requireLength } from '../core/check.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import type { Matrix32 } from '../core/matrix.ts';
import type { RunOptions } from '../core/progress.ts';
import { growArray } from './grow-array.ts';
import { nearestRow } from './nearest-row.ts';
import { nearestInTiles } from './nearest-tiles.ts';
import { RunningMeans } from './running-means.ts';

export interface OnlineKCenterOptions {
  /** Columns of a row, d ≥ 1. */
  dim: number;
  /** Most centers, K ≥ 1. */
  k: number;
  /** Least growth γ > 1 of the threshold when centers overflow. Radius ≤ 2γ²/(γ − 1) × optimum: 8 at the default 2, which is the best; less merges fewer centers at a time. */
  growth?: number;
  /** Keep the scatter of every coordinate around the means. Default false. */
  diagonal?: boolean;
}

/** All there is to an `OnlineKCenter`, as plain arrays of exact length. */
export interface OnlineKCenterState extends Required<OnlineKCenterOptions> {
  delta: number;
  optimumLow: number;
  /** Shape (m, dim). */
  representatives: Float32Array;
  /** Shape (m,). */
  radii: Float64Array;
  /** Shape (m,). */
  gaps: Float64Array;
  /** Shapes (m, dim), (m, dim) or (0,), (m, 5): see `RunningMeans`. */
  means: Float32Array;
  squares: Float32Array;
  scalars: Float64Array;
}

/** Where a row went. */
export interface OnlineKCenterStep {
  /** Its center, numbered as after the step. */
  center: number;
  /** It opened a center (which may have been merged away at once: then `remap` says so). */
  opened: boolean;
  /** Set when centers were merged: old center c, the one just opened included, is now remap[c]; the first of those that became one is its representative. */
  remap?: Uint32Array;
}

/**
 * The doubling algorithm: a row joins the nearest center (ties to the first) when that is at most δ away, else opens one. When there are
 * K + 1, δ becomes max(γδ, their least distance), and in order each center farther than δ from all kept ones is kept, the others are
 * merged into the nearest. Distances are always to representatives, which are rows of the stream and never move; means are kept beside.
 *
 * Invariants at any time: representatives are pairwise more than δ apart; every row is within γ/(γ − 1) · δ of its representative, and
 * within `radii` of it; counts sum to the rows taken; the least possible radius with K centers is at least `optimumLow`, and δ ≤ 2γ ·
 * optimumLow. For K + 1 points pairwise ≥ x apart force a radius ≥ x/2, and a center merged at δ adds δ to a radius of at most γ/(γ − 1) · δ/γ.
 *
 * Time O(K d) a row and O(K² d) an overflow, of which there are log_γ(diameter / first distance) at most; memory O(K d).
 * Source: Charikar, Chekuri, Feder, Motwani 2004 (doubling); δ by the least distance, general γ and radii per center: derived.
 */
export class OnlineKCenter {
  readonly dim: number;
  readonly k: number;
  readonly growth: number;
  /** Centers, m ≤ K. */
  size = 0;
  /** Threshold δ; 0 until K + 1 distinct rows came. */
  delta = 0;
  /** No K centers have a radius below this. */
  optimumLow = 0;
  /** Rows 0 … size − 1 of shape (·, dim). */
  representatives: Float32Array;
  /** Largest distance of a member to the representative, or more after merges; entries 0 … size − 1. */
  radii: Float64Array;
  /** Means of members (kept beside, not used for distances) and their number. */
  means: RunningMeans;
  /** Least distance to an earlier center; entries 0 … size − 1. */
  private gaps: Float64Array;

  /** @throws {InvalidArgumentError} an option leaves its range */
  constructor({ dim, k, growth = 2, diagonal = false }: OnlineKCenterOptions) {
    requireInteger('OnlineKCenter: dim', dim, 1);
    requireInteger('OnlineKCenter: k', k, 1);
    if (!(growth > 1 && growth < Infinity))
      throw new InvalidArgumentError(`OnlineKCenter: growth is ${growth}; expected a finite number > 1.`);
    this.dim = dim;
    this.k = k;
    this.growth = growth;
    this.representatives = new Float32Array(dim);
    this.radii = new Float64Array(1);
    this.gaps = new Float64Array(1);
    this.means = new RunningMeans(dim, { diagonal });
  }

  /** The centers as they were when `state` was taken. @throws {ShapeError} its arrays do not fit each other */
  static restore(state: OnlineKCenterState): OnlineKCenter {
    const centers = new OnlineKCenter(state);
    const { dim } = centers;
    const size = state.radii.length;
    requireLength('OnlineKCenter: state.representatives', state.representatives, size * dim);
    requireLength('OnlineKCenter: state.gaps', state.gaps, size);
    requireLength('OnlineKCenter: state.means', state.means, size * dim);
    requireLength('OnlineKCenter: state.squares', state.squares, state.diagonal ? size * dim : 0);
    requireLength('OnlineKCenter: state.scalars', state.scalars, 5 * size);
    centers.delta = state.delta;
    centers.optimumLow = state.optimumLow;
    if (size === 0) return centers;
    centers.size = size;
    centers.representatives = state.representatives.slice();
    centers.radii = state.radii.slice();
    centers.gaps = state.gaps.slice();
    centers.means.means = state.means.slice();
    centers.means.squares = state.squares.slice();
    centers.means.scalars = state.scalars.slice();
    return centers;
  }

  /** Takes one row, finite (not looked at), that starts at entry `start` of `points`. */
  add(points: Float32Array, start = 0): OnlineKCenterStep {
    const { dim, size } = this;
    const { center, squared } = nearestRow(points, start, this.representatives, { from: 0, to: size, dim });
    return this.put(points, start, center, squared);
  }

  /**
   * Takes rows in order, as `add` does one by one, with distances by the kernels.
   *
   * @param points - shape (n, dim), finite (not looked at)
   * @param visit - called after each row, in order
   */
  async addAll(
    points: Matrix32,
    visit: (row: number, step: OnlineKCenterStep) => void,
    { signal }: RunOptions = {},
  ): Promise<void> {
    requireLength('OnlineKCenter.addAll: points.data', points.data, points.rows * this.dim);
    const known = () => ({ centers: this.representatives, count: this.size });
    for await (const tile of nearestInTiles(points, known, signal)) {
      let merged = false; // then what the kernel said of this tile is void
      for (let i = 0; i < tile.rows; i++) {
        const start = (tile.start + i) * this.dim;
        const before = merged ? undefined : { center: tile.labels[i], squared: tile.distances[i] };
        const range = { from: merged ? 0 : tile.centers, to: this.size, dim: this.dim };
        const { center, squared } = nearestRow(points.data, start, this.representatives, range, before);
        const step = this.put(points.data, start, center, squared);
        merged ||= step.remap !== undefined;
        visit(tile.start + i, step);
      }
    }
  }

  /** Rows behind a center. */
  count(center: number): number {
    return this.means.count(center);
  }

  /** An independent copy. */
  copy(): OnlineKCenter {
    return OnlineKCenter.restore(this.state());
  }

  /** A snapshot to store, that `restore` reads. */
  state(): OnlineKCenterState {
    const { dim, k, growth, size, delta, optimumLow, means } = this;
    return {
      ...{ dim, k, growth, delta, optimumLow },
      diagonal: means.diagonal,
      representatives: this.representatives.slice(0, size * dim),
      radii: this.radii.slice(0, size),
      gaps: this.gaps.slice(0, size),
      means: means.means.slice(0, size * dim),
      squares: means.squares.slice(0, size * dim),
      scalars: means.scalars.slice(0, 5 * size),
    };
  }

  /** Bytes of the arrays held. */
  get bytes(): number {
    const { means, squares, scalars } = this.means;
    return [this.representatives, this.radii, this.gaps, means, squares, scalars].reduce(
      (sum, array) => sum + array.byteLength,
      0,
    );
  }

  private put(points: Float32Array, start: number, center: number, squared: number): OnlineKCenterStep {
    const distance = Math.sqrt(squared);
    if (center >= 0 && distance <= this.delta) {
      this.means.add(center, points, start);
      this.radii[center] = Math.max(this.radii[center], distance);
      return { center, opened: false };
    }
    const opened = this.size++;
    this.representatives = growArray(this.representatives, this.size * this.dim);
    this.radii = growArray(this.radii, this.size);
    this.gaps = growArray(this.gaps, this.size);
    this.representatives.set(points.subarray(start, start + this.dim), opened * this.dim);
    this.radii[opened] = 0;
    this.gaps[opened] = distance;
    this.means.open(opened, points, start);
    if (this.size <= this.k) return { center: opened, opened: true };
    const remap = this.overflow();
    return { center: remap[opened], opened: true, remap };
  }

  /** Merges until there are at most K; at least the closest pair does. */
  private overflow(): Uint32Array {
    const { dim, representatives, radii, gaps, means } = this;
    let least = Infinity;
    for (let c = 1; c < this.size; c++) least = Math.min(least, gaps[c]);
    this.optimumLow = Math.max(this.optimumLow, least / 2);
    this.delta = Math.max(this.growth * this.delta, least);
    const remap = new Uint32Array(this.size);
    let kept = 0;
    for (let c = 0; c < this.size; c++) {
      const { center, squared } = nearestRow(representatives, c * dim, representatives, {
        ...{ from: 0, to: kept, dim },
      });
      const distance = Math.sqrt(squared);
      if (center >= 0 && distance <= this.delta) {
        remap[c] = center;
        radii[center] = Math.max(radii[center], distance + radii[c]);
        means.merge(center, c);
        continue;
      }
      remap[c] = kept;
      representatives.copyWithin(kept * dim, c * dim, (c + 1) * dim);
      radii[kept] = radii[c];
      gaps[kept] = distance;
      means.move(c, kept);
      kept++;
    }
    this.size = kept;
    return remap;
  }
}
