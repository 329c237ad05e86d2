// k-center of a stream: at most K centers at any time, a radius within a constant of the best for all rows so far.

import { requireInteger, requireLength, requireOneOf } from '../core/check.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import type { Matrix32 } from '../core/matrix.ts';
import type { RunOptions } from '../core/progress.ts';
import { directDistance } from '../kernels/index.ts';
import { type NearestCenter, nearestRow } from './nearest-row.ts';
import { nearestInTiles } from './nearest-tiles.ts';
import { RunningMeans } from './running-means.ts';

/** What happens when there is one center too many. */
export type CenterMerging =
  /** The threshold doubles and all centers within it merge, of which few may be left: radius ≤ 8 × the best. */
  | 'doubling'
  /** The closest two merge, and K are left: radius ≤ 2 ⌊log₂ rows⌋ × the best, in practice less than by doubling. */
  | 'closest';

export interface OnlineKCenterOptions {
  /** Columns of a row, d ≥ 1. */
  dim: number;
  /** Most centers, K ≥ 1. */
  k: number;
  /** Default 'doubling'. */
  merging?: CenterMerging;
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
  /** Distance of each center to those before it, Infinity of the first, and the center at that distance, shape (m,). Default: looked up. */
  gaps?: Float64Array;
  gapCenters?: Uint32Array;
}

/** All there is to an `OnlineKCenter`, as plain arrays of exact length. */
export interface OnlineKCenterState extends GivenCenters {
  dim: number;
  k: number;
  merging: CenterMerging;
  delta: number;
  optimumLow: number;
  /** Shape (m,), see `OnlineKCenter`. */
  gaps: Float64Array;
  gapCenters: Uint32Array;
  /** Of `RunningMeans`, shapes (m, dim) and (m, 3); absent without means. */
  means?: Float32Array;
  scalars?: Float64Array;
}

/** Where a row went. */
export interface OnlineKCenterStep {
  /** Its center, numbered as after the step. */
  center: number;
  /** It is the representative of that center, and alone. */
  opened: boolean;
  /** What happened to the centers before the row came to its own, in order. */
  changes: readonly CenterChange[];
}

/** A center went to another place, or its rows into another center. */
export interface CenterChange {
  from: number;
  to: number;
  /** Rows of either when they were merged; undefined where one only moved. */
  merged?: { from: number; to: number };
}

const NOTHING: readonly CenterChange[] = [];
const NOBODY = 0xffffffff;

/**
 * A row joins the nearest center (ties to the first) when that is at most δ away, else opens one. When there are K + 1, δ grows to at least their
 * least distance, and centers merge:
 *
 * 'doubling': δ becomes max(2δ, least distance), and in order each center farther than δ from all kept ones is kept, the others are merged into the
 * nearest. Then representatives are pairwise more than δ apart, rows within 2δ of theirs, and δ ≤ 4 × `optimumLow`.
 *
 * 'closest': δ becomes the least distance, and those two merge into the one of larger radius (ties to the lower index). Representatives are pairwise at
 * least δ apart, δ ≤ 2 × `optimumLow`, and the n rows of a center within δ⌊log₂ n⌋ of its representative: for a radius beyond hδ to arise, both of
 * two merged ones must be beyond (h − 1)δ, so that it takes 2^(h + 1) rows.
 *
 * Distances are always to representatives, which are rows of the stream and never move; means are kept beside. At any time every row is within
 * `radii` of its representative, counts sum to the rows taken, and no K centers have a radius below `optimumLow`, since K + 1 points pairwise
 * ≥ x apart force x/2.
 *
 * Time O(K d) a row. An overflow by doubling costs O(K² d), but there are log₂(diameter / first distance) of them at most; by closest pairs O(K d) for
 * each center whose distance was to one that went (few in practice). Memory O(K d).
 * Source: Charikar, Chekuri, Feder, Motwani 2004 (doubling); δ by the least distance, closest pairs and radii per center: derived.
 */
export class OnlineKCenter {
  readonly dim: number;
  readonly k: number;
  readonly merging: CenterMerging;
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
  /** A lower bound of a center's distance to all older ones; of the two closest centers, the younger has their distance at most. */
  private readonly gaps: Float64Array;
  /** The center at that distance, `NOBODY` once it went. */
  private readonly gapCenters: Uint32Array;

  /** @throws {InvalidArgumentError} an option leaves its range */
  constructor({ dim, k, merging = 'doubling', means = true, representatives }: OnlineKCenterOptions) {
    requireInteger('OnlineKCenter: dim', dim, 1);
    requireInteger('OnlineKCenter: k', k, 1);
    requireOneOf('OnlineKCenter: merging', merging, ['doubling', 'closest']);
    this.dim = dim;
    this.k = k;
    this.merging = merging;
    if (representatives) requireLength('OnlineKCenter: representatives', representatives, k * dim);
    this.representatives = representatives ?? new Float32Array(k * dim);
    this.radii = new Float64Array(k);
    this.counts = new Float64Array(k);
    this.gaps = new Float64Array(k);
    this.gapCenters = new Uint32Array(k);
    this.means = means ? new RunningMeans(dim, k) : undefined;
  }

  /**
   * The centers as they were when `state` was taken.
   *
   * @throws {ShapeError} its arrays do not fit each other @throws {InvalidArgumentError} a center is closest to itself or to one that is not there
   */
  static restore(state: OnlineKCenterState): OnlineKCenter {
    const { dim, k, merging, means, scalars } = state;
    const centers = new OnlineKCenter({ dim, k, merging, means: means !== undefined });
    centers.take(state);
    requireLength('OnlineKCenter: state.gaps', state.gaps, centers.size);
    requireLength('OnlineKCenter: state.gapCenters', state.gapCenters, centers.size);
    const isOther = (other: number, c: number) => other === NOBODY || (other < centers.size && other !== c);
    if (!state.gapCenters.every(isOther))
      throw new InvalidArgumentError(
        `OnlineKCenter: state.gapCenters are ${state.gapCenters}; expected others of ${centers.size} centers, or nobody.`,
      );
    centers.gaps.set(state.gaps);
    centers.gapCenters.set(state.gapCenters);
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
    const { gaps, gapCenters } = given;
    for (let c = 0; c < size; c++) {
      if (gaps && gapCenters) {
        centers.setGap(c, gaps[c], c === 0 ? -1 : gapCenters[c]);
        continue;
      }
      const range = { from: 0, to: c, dim };
      const { center, squared } = nearestRow(representatives, c * dim, representatives, range);
      centers.setGap(c, Math.sqrt(squared), center);
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
      // Places whose representative is not what the kernel saw.
      const changed = new Set<number>();
      for (let i = 0; i < tile.rows; i++) {
        const start = (tile.start + i) * this.dim;
        const before = { center: tile.labels[i], squared: tile.distances[i] };
        const { center, squared } = this.nearestSince(points.data, start, tile.centers, before, changed);
        const step = this.put(points.data, start, center, squared);
        for (const { from, to } of step.changes) changed.add(from).add(to);
        if (step.opened) changed.add(step.center);
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
    const { dim, k, merging, size, delta, optimumLow, means } = this;
    return {
      ...{ dim, k, merging, delta, optimumLow },
      representatives: this.representatives.slice(0, size * dim),
      radii: this.radii.slice(0, size),
      counts: this.counts.slice(0, size),
      gaps: this.gaps.slice(0, size),
      gapCenters: this.gapCenters.slice(0, size),
      ...(means && { means: means.means.slice(0, size * dim), scalars: means.scalars.slice(0, 3 * size) }),
    };
  }

  /** Bytes of the arrays held. */
  get bytes(): number {
    const { representatives, radii, counts, gaps, gapCenters } = this;
    const own = [representatives, radii, counts, gaps, gapCenters];
    return own.reduce((sum, array) => sum + array.byteLength, 0) + (this.means?.bytes ?? 0);
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

  /** The nearest center of a row of which the nearest one is known among the first `seen` centers, where they did not change. */
  private nearestSince(
    points: Float32Array,
    start: number,
    seen: number,
    known: NearestCenter,
    changed: ReadonlySet<number>,
  ): NearestCenter {
    const { dim, size, representatives } = this;
    if (changed.has(known.center))
      return nearestRow(points, start, representatives, { from: 0, to: size, dim });
    let { center, squared } = known;
    for (const c of changed) {
      if (c >= Math.min(seen, size)) continue;
      const distance = directDistance(points, start, representatives, c * dim, dim);
      if (distance < squared || (distance === squared && c < center)) [center, squared] = [c, distance];
    }
    return nearestRow(
      points,
      start,
      representatives,
      { from: Math.min(seen, size), to: size, dim },
      { center, squared },
    );
  }

  private put(points: Float32Array, start: number, center: number, squared: number): OnlineKCenterStep {
    const distance = Math.sqrt(squared);
    if (center >= 0 && distance <= this.delta) return this.join(center, distance, points, start, NOTHING);
    if (this.size < this.k) return this.open(this.size++, points, start, { distance, center }, NOTHING);
    if (this.merging === 'doubling') return this.double(points, start, distance);
    return this.mergeClosest(points, start, distance, center);
  }

  private join(
    center: number,
    distance: number,
    points: Float32Array,
    start: number,
    changes: readonly CenterChange[],
  ): OnlineKCenterStep {
    this.means?.add(center, this.counts[center], points, start);
    this.counts[center]++;
    this.radii[center] = Math.max(this.radii[center], distance);
    return { center, opened: false, changes };
  }

  private open(
    center: number,
    points: Float32Array,
    start: number,
    nearest: { distance: number; center: number },
    changes: readonly CenterChange[],
  ): OnlineKCenterStep {
    this.representatives.set(points.subarray(start, start + this.dim), center * this.dim);
    this.radii[center] = 0;
    this.counts[center] = 1;
    this.setGap(center, nearest.distance, nearest.center);
    this.means?.open(center, points, start);
    return { center, opened: true, changes };
  }

  private setGap(center: number, gap: number, other: number): void {
    this.gaps[center] = gap;
    this.gapCenters[center] = other < 0 ? NOBODY : other;
  }

  private raise(delta: number, least: number): void {
    this.optimumLow = Math.max(this.optimumLow, least / 2);
    this.delta = delta;
  }

  /** There are K centers, and a row that is `gap` > δ from all: merges until there is room, at least the closest two of these. */
  private double(points: Float32Array, start: number, gap: number): OnlineKCenterStep {
    const { k, dim, representatives, radii, counts, gaps, means } = this;
    const least = gaps.reduce((a, b) => Math.min(a, b), gap);
    this.raise(Math.max(2 * this.delta, least), least);
    const changes: CenterChange[] = [];
    this.size = 0;
    for (let c = 0; c < k; c++) {
      const nearest = this.nearestOf(representatives, c * dim);
      if (nearest.distance <= this.delta) {
        changes.push(this.mergeInto(nearest.center, c, nearest.distance));
        continue;
      }
      const kept = this.size++;
      this.setGap(kept, nearest.distance, nearest.center);
      if (kept === c) continue;
      changes.push({ from: c, to: kept });
      representatives.copyWithin(kept * dim, c * dim, (c + 1) * dim);
      radii[kept] = radii[c];
      counts[kept] = counts[c];
      means?.move(c, kept);
    }
    const nearest = this.nearestOf(points, start);
    return nearest.distance <= this.delta
      ? this.join(nearest.center, nearest.distance, points, start, changes)
      : this.open(this.size++, points, start, nearest, changes);
  }

  /** There are K centers, and a row that is `gap` > δ from the nearest, `center`: the closest two of these K + 1 merge. */
  private mergeClosest(points: Float32Array, start: number, gap: number, center: number): OnlineKCenterStep {
    const { dim, representatives, radii, gaps, gapCenters } = this;
    let young = 0;
    for (;;) {
      for (let c = 0; c < this.size; c++) if (gaps[c] < gaps[young]) young = c;
      if (!(gaps[young] < gap)) {
        this.raise(gap, gap);
        return this.join(center, gap, points, start, NOTHING);
      }
      if (gapCenters[young] !== NOBODY) break;
      // Only a lower bound so far: to all others now, so that it is theirs too, whichever is older.
      const found = this.nearestOf(representatives, young * dim, young);
      this.setGap(young, found.distance, found.center);
    }
    const least = gaps[young];
    this.raise(least, least);
    const [low, high] = [Math.min(young, gapCenters[young]), Math.max(young, gapCenters[young])];
    const [to, from] = radii[high] > radii[low] ? [high, low] : [low, high];
    const change = this.mergeInto(to, from, least);
    // What was closest to the one that went is closest to another now, no closer than it was.
    for (let c = 0; c < this.size; c++) if (gapCenters[c] === from) gapCenters[c] = NOBODY;
    return this.open(from, points, start, { distance: gap, center: center === from ? -1 : center }, [change]);
  }

  private mergeInto(to: number, from: number, distance: number): CenterChange {
    const { radii, counts, means } = this;
    const merged = { from: counts[from], to: counts[to] };
    radii[to] = Math.max(radii[to], distance + radii[from]);
    means?.merge(to, merged.to, from, merged.from);
    counts[to] += merged.from;
    return { from, to, merged };
  }

  /** The nearest of all centers but `except`. */
  private nearestOf(
    points: Float32Array,
    start: number,
    except = this.size,
  ): { center: number; distance: number } {
    const { dim, size, representatives } = this;
    const before = nearestRow(points, start, representatives, { from: 0, to: except, dim });
    const range = { from: except + 1, to: size, dim };
    const { center, squared } = nearestRow(points, start, representatives, range, before);
    return { center, distance: Math.sqrt(squared) };
  }
}
