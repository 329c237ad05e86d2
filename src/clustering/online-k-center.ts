// k-center of a stream: at most K centers at any time, a radius within a constant of the best for all rows so far.

import { requireInteger, requireLength } from '../core/check.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import type { Matrix32 } from '../core/matrix.ts';
import type { RunOptions } from '../core/progress.ts';
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
  /** Keep the mean of each center's rows, with bounds on these (`RunningMeans`). Default true. */
  means?: boolean;
  /** Memory to keep the representatives in, shape (K, dim). Default: its own. */
  representatives?: Float32Array;
}

/** Centers known from elsewhere, with what they stand for. */
export interface GivenCenters {
  /** Shape (m, dim), m ≤ K. */
  representatives: Float32Array;
  /** Largest distance of a member to each, shape (m,). */
  radii: Float64Array;
  /** Rows of each, shape (m,). */
  counts: Float64Array;
}

/** All there is to an `OnlineKCenter`, as plain arrays of exact length. */
export interface OnlineKCenterState extends GivenCenters {
  dim: number;
  k: number;
  growth: number;
  delta: number;
  optimumLow: number;
  /** Shape (m,). */
  gaps: Float64Array;
  /** Of `RunningMeans`, shapes (m, dim) and (m, 3); absent without means. */
  means?: Float32Array;
  scalars?: Float64Array;
}

/** Where a row went. */
export interface OnlineKCenterStep {
  /** Its center, numbered as after the step. */
  center: number;
  /** It was too far from all centers: it opened one, unless that was merged away at once. */
  opened: boolean;
  /** Set when centers were merged. */
  merged?: CenterMerge;
}

/** How K centers and the row that was too many became fewer. */
export interface CenterMerge {
  /** Center c is now remap[c], never more than c; entry K is the row's. The first of those that became one keeps its representative. Shape (K + 1,). */
  remap: Uint32Array;
  /** Rows of each center before, shape (K,). */
  counts: Float64Array;
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
  /** Rows 0 … size − 1 of shape (K, dim). */
  representatives: Float32Array;
  /** Largest distance of a member to the representative, or more after merges; entries 0 … size − 1 of (K,). */
  readonly radii: Float64Array;
  /** Rows of each center; entries 0 … size − 1 of (K,). */
  readonly counts: Float64Array;
  /** Means of members, kept beside and not used for distances. */
  readonly means: RunningMeans | undefined;
  /** Least distance to an earlier center; entries 0 … size − 1 of (K,). */
  private readonly gaps: Float64Array;

  /** @throws {InvalidArgumentError} an option leaves its range */
  constructor({ dim, k, growth = 2, means = true, representatives }: OnlineKCenterOptions) {
    requireInteger('OnlineKCenter: dim', dim, 1);
    requireInteger('OnlineKCenter: k', k, 1);
    if (!(growth > 1 && growth < Infinity))
      throw new InvalidArgumentError(`OnlineKCenter: growth is ${growth}; expected a finite number > 1.`);
    this.dim = dim;
    this.k = k;
    this.growth = growth;
    if (representatives) requireLength('OnlineKCenter: representatives', representatives, k * dim);
    this.representatives = representatives ?? new Float32Array(k * dim);
    this.radii = new Float64Array(k);
    this.counts = new Float64Array(k);
    this.gaps = new Float64Array(k);
    this.means = means ? new RunningMeans(dim, k) : undefined;
  }

  /** The centers as they were when `state` was taken. @throws {ShapeError} its arrays do not fit each other */
  static restore(state: OnlineKCenterState): OnlineKCenter {
    const { dim, k, growth, means, scalars } = state;
    const centers = new OnlineKCenter({ dim, k, growth, means: means !== undefined });
    centers.take(state);
    requireLength('OnlineKCenter: state.gaps', state.gaps, centers.size);
    centers.gaps.set(state.gaps);
    centers.delta = state.delta;
    centers.optimumLow = state.optimumLow;
    if (!centers.means) return centers;
    requireLength('OnlineKCenter: state.means', means ?? [], centers.size * dim);
    requireLength('OnlineKCenter: state.scalars', scalars ?? [], 3 * centers.size);
    centers.means.means.set(means ?? []);
    centers.means.scalars.set(scalars ?? []);
    return centers;
  }

  /**
   * Goes on from centers chosen by other means, say all at once by `kCenterGreedy`; without `means`, as their rows are gone.
   *
   * @param delta - their threshold: pairwise distances ≥ it @param optimumLow - no K centers of the rows behind them have a radius below this
   */
  static from(
    options: Omit<OnlineKCenterOptions, 'means'>,
    given: GivenCenters,
    { delta, optimumLow }: { delta: number; optimumLow: number },
  ): OnlineKCenter {
    const centers = new OnlineKCenter({ ...options, means: false });
    centers.take(given);
    centers.delta = delta;
    centers.optimumLow = optimumLow;
    const { dim, size, representatives } = centers;
    for (let c = 0; c < size; c++) {
      const range = { from: 0, to: c, dim };
      centers.gaps[c] = Math.sqrt(nearestRow(representatives, c * dim, representatives, range).squared);
    }
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
        merged ||= step.merged !== undefined;
        visit(tile.start + i, step);
      }
    }
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
      representatives: this.representatives.slice(0, size * dim),
      radii: this.radii.slice(0, size),
      counts: this.counts.slice(0, size),
      gaps: this.gaps.slice(0, size),
      ...(means && { means: means.means.slice(0, size * dim), scalars: means.scalars.slice(0, 3 * size) }),
    };
  }

  /** Bytes of the arrays held. */
  get bytes(): number {
    const { representatives, radii, counts, gaps } = this;
    const own = [representatives, radii, counts, gaps].reduce((sum, array) => sum + array.byteLength, 0);
    return own + (this.means?.bytes ?? 0);
  }

  private take({ representatives, radii, counts }: GivenCenters): void {
    this.size = counts.length;
    requireInteger('OnlineKCenter: number of centers', this.size, 0, this.k);
    requireLength('OnlineKCenter: representatives', representatives, this.size * this.dim);
    requireLength('OnlineKCenter: radii', radii, this.size);
    this.representatives.set(representatives);
    this.radii.set(radii);
    this.counts.set(counts);
  }

  private put(points: Float32Array, start: number, center: number, squared: number): OnlineKCenterStep {
    const distance = Math.sqrt(squared);
    if (center >= 0 && distance <= this.delta) {
      this.means?.add(center, this.counts[center], points, start);
      this.counts[center]++;
      this.radii[center] = Math.max(this.radii[center], distance);
      return { center, opened: false };
    }
    if (this.size === this.k) return this.overflow(points, start, distance);
    this.open(points, start, distance);
    return { center: this.size - 1, opened: true };
  }

  private open(points: Float32Array, start: number, gap: number): void {
    const opened = this.size++;
    this.representatives.set(points.subarray(start, start + this.dim), opened * this.dim);
    this.radii[opened] = 0;
    this.counts[opened] = 1;
    this.gaps[opened] = gap;
    this.means?.open(opened, points, start);
  }

  /** There are K centers, and a row that is `gap` > δ from all: merges until there is room, at least the closest two of these. */
  private overflow(points: Float32Array, start: number, gap: number): OnlineKCenterStep {
    const { k, dim, representatives, radii, counts, gaps, means } = this;
    const least = gaps.reduce((a, b) => Math.min(a, b), gap);
    this.optimumLow = Math.max(this.optimumLow, least / 2);
    this.delta = Math.max(this.growth * this.delta, least);
    const merged = { remap: new Uint32Array(k + 1), counts: counts.slice() };
    this.size = 0;
    for (let c = 0; c < k; c++) {
      const { center, distance } = this.nearestKept(representatives, c * dim);
      if (distance <= this.delta) {
        merged.remap[c] = center;
        radii[center] = Math.max(radii[center], distance + radii[c]);
        means?.merge(center, counts[center], c, counts[c]);
        counts[center] += counts[c];
        continue;
      }
      const kept = this.size++;
      merged.remap[c] = kept;
      representatives.copyWithin(kept * dim, c * dim, (c + 1) * dim);
      radii[kept] = radii[c];
      counts[kept] = counts[c];
      gaps[kept] = distance;
      means?.move(c, kept);
    }
    const { center, distance } = this.nearestKept(points, start);
    merged.remap[k] = distance <= this.delta ? center : this.size;
    if (distance <= this.delta) {
      radii[center] = Math.max(radii[center], distance);
      means?.add(center, counts[center], points, start);
      counts[center]++;
    } else {
      this.open(points, start, distance);
    }
    return { center: merged.remap[k], opened: true, merged };
  }

  private nearestKept(points: Float32Array, start: number): { center: number; distance: number } {
    const { dim, size, representatives } = this;
    const { center, squared } = nearestRow(points, start, representatives, { from: 0, to: size, dim });
    return { center, distance: Math.sqrt(squared) };
  }
}
