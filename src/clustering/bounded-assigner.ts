// Assignment that skips what the triangle inequality settles: Hamerly's, Yinyang and Elkan's bounds as one method.

import { directDistance } from '../kernels/index.ts';
import { type Assigner, type AssignerContext, adoptLabels } from './assigner.ts';
import { allHalfGaps, type CenterGroups, groupCenters, halfGaps } from './center-groups.ts';
import { roundingMargin } from './distance.ts';
import { copyRow, GroupScan } from './group-scan.ts';
import type { RowTile } from './rows.ts';
import type { KMeansAlgorithm } from './types.ts';

export interface BoundedOptions {
  algorithm: Exclude<KMeansAlgorithm, 'auto' | 'lloyd'>;
  /** Groups of centers, each with one lower bound per row: 1 (Hamerly), about k/10 (Yinyang), k (Elkan). */
  groupCount: number;
}

/** Share of the centers a row must be compared with above which it is compared with all of them, at matrix speed. */
const FULL_SCAN_SHARE = 0.25;
/** Below so many centers, comparing a row with all of them costs no more than finding out that it need not be. */
const TIGHTEN_CENTERS = 32;
/** Takes the rounding of one float64 operation to the safe side. */
const UP = 1 + Number.EPSILON;
/** Takes the rounding of a store to float32, 2⁻²⁴, to the safe side. */
const DOWN32 = 1 - 2 ** -22;

/**
 * Keeps for each row an upper bound of the distance to its own center and, per group of centers, a lower bound of the
 * distance to any other one there. Bounds follow the movement of the centers by the triangle inequality; a row whose upper bound is below
 * all lower ones, or below half the gap between its center and the next, keeps its label unseen.
 *
 * The labels are those of Lloyd, ties included: a row is skipped only when its own center is nearer than any other by more
 * than rounding could make up (`roundingMargin`), in which case `kernels.nearest` would have found the same. A row not skipped is
 * gathered with others and handed to `kernels.nearest`, or decided among a few groups where, again, only a gap beyond rounding counts.
 *
 * One group: Hamerly (SDM 2010). k/10 groups: Yinyang (Ding et al., ICML 2015), but all lower bounds start at the second distance of the
 * first full pass, which costs nothing extra. k groups and the gaps between all pairs of centers: Elkan (ICML 2003).
 * Memory 8 + 4t bytes a row for t groups.
 */
export class BoundedAssigner implements Assigner {
  readonly algorithm: KMeansAlgorithm;
  readonly distances: undefined;
  scanned = 0;
  private readonly groupCount: number;
  private readonly margin: number;
  private readonly upper: Float64Array; // shape (n,)
  private lower: Float32Array = new Float32Array(); // shape (n, t)
  private centers: Float32Array = new Float32Array();
  private groups!: CenterGroups;
  private scan!: GroupScan;
  private shifts: Float64Array | undefined; // undefined in the first pass
  private gaps: Float64Array = new Float64Array(); // shape (k,)
  private allGaps: Float64Array | undefined; // shape (k, k)
  // Scratch of one tile.
  private readonly own: Float64Array; // squared distance to the own center, where it was computed
  private readonly pending: Uint32Array; // rows to compare with all centers
  private pendingCount = 0;
  private readonly gathered: Float32Array;
  private readonly nearest: Uint32Array;
  private readonly nearestSquares: Float64Array;
  private readonly second: Uint32Array;
  private readonly secondSquares: Float64Array;
  private readonly context: AssignerContext;

  constructor(context: AssignerContext, { algorithm, groupCount }: BoundedOptions) {
    this.context = context;
    const { tileRows, cols, labels, centerCount } = context;
    this.algorithm = algorithm;
    this.groupCount = Math.min(groupCount, centerCount);
    this.margin = roundingMargin(cols);
    this.upper = new Float64Array(labels.length);
    this.own = new Float64Array(tileRows);
    this.pending = new Uint32Array(tileRows);
    this.gathered = new Float32Array(tileRows * cols);
    this.nearest = new Uint32Array(tileRows);
    this.nearestSquares = new Float64Array(tileRows);
    this.second = new Uint32Array(tileRows);
    this.secondSquares = new Float64Array(tileRows);
  }

  async begin(centers: Float32Array, shifts: Float64Array | undefined): Promise<void> {
    const { cols, kernels, origin, labels } = this.context;
    this.centers = centers;
    this.scanned = 0;
    if (!this.groups) {
      this.groups = await groupCenters(centers, cols, this.groupCount, kernels, origin);
      this.scan = new GroupScan(this.context, this.groups);
      this.lower = new Float32Array(labels.length * this.groups.count);
      return;
    }
    this.shifts = shifts ?? new Float64Array(this.context.centerCount);
    this.groups.move(this.shifts);
    this.gaps = await halfGaps(centers, cols, kernels, origin);
    if (this.algorithm === 'elkan') this.allGaps = allHalfGaps(centers, cols);
  }

  async assign(tile: RowTile): Promise<number> {
    if (!this.shifts) return this.firstPass(tile);
    this.pendingCount = 0;
    this.scan.count = 0;
    if (this.groups.count === 1) this.filterByOneBound(tile, this.shifts);
    else this.filterByGroups(tile, this.shifts);
    let changed = 0;
    if (this.scan.count > 0) {
      await this.scan.run(tile, this.centers);
      changed += this.decideAmongGroups(tile.start);
    }
    if (this.pendingCount > 0) changed += await this.compareWithAll(tile);
    return changed;
  }

  private async firstPass(tile: RowTile): Promise<number> {
    const { labels } = this.context;
    const t = this.groups.count;
    await this.callNearest(tile.data, tile.rows);
    this.scanned += tile.rows;
    for (let i = 0; i < tile.rows; i++) {
      this.upper[tile.start + i] = this.above(this.nearestSquares[i]);
      const bound = this.below(this.secondSquares[i]);
      this.lower.fill(bound, (tile.start + i) * t, (tile.start + i + 1) * t);
    }
    return adoptLabels(this.nearest, labels.subarray(tile.start, tile.start + tile.rows));
  }

  /** Hamerly's test: one lower bound, and a row that fails is compared with all centers. */
  private filterByOneBound({ start, rows, data }: RowTile, shifts: Float64Array): void {
    const { upper, lower, gaps, own } = this;
    const { labels, cols, centerCount } = this.context;
    const [drift, restDrift] = [this.groups.drift[0], this.groups.restDrift[0]];
    const driftCenter = this.groups.driftCenter[0];
    const apart = 1 + this.margin; // nearer by this factor: nearer in any order of summation
    const tighten = centerCount >= TIGHTEN_CENTERS;
    for (let i = 0; i < rows; i++) {
      const row = start + i;
      const label = labels[row];
      const reach = (upper[row] + shifts[label]) * UP;
      const moved = lower[row] - (label === driftCenter ? restDrift : drift);
      const bound = moved > 0 ? moved * DOWN32 : 0;
      lower[row] = bound;
      upper[row] = reach;
      const limit = Math.max(bound, gaps[label]);
      if (reach * apart < limit) continue;
      if (tighten) {
        own[i] = directDistance(data, i * cols, this.centers, label * cols, cols);
        const exact = this.above(own[i]);
        upper[row] = exact;
        if (exact * apart < limit) continue;
      } else {
        own[i] = 0; // unknown: the old bound is void if the label changes
      }
      this.pending[this.pendingCount++] = i;
    }
  }

  private filterByGroups({ start, rows, data }: RowTile, shifts: Float64Array): void {
    const { upper, lower, gaps, own, groups, allGaps, scan } = this;
    const { labels, cols, centerCount } = this.context;
    const { drift, restDrift, driftCenter, count: t, members } = groups;
    const apart = 1 + this.margin;
    const fullScan = FULL_SCAN_SHARE * centerCount;
    for (let i = 0; i < rows; i++) {
      const row = start + i;
      const label = labels[row];
      let reach = (upper[row] + shifts[label]) * UP;
      let least = Infinity;
      for (let g = 0, at = row * t; g < t; g++, at++) {
        const moved = lower[at] - (driftCenter[g] === label ? restDrift[g] : drift[g]);
        const bound = moved > 0 ? moved * DOWN32 : 0;
        lower[at] = bound;
        if (bound < least) least = bound;
      }
      upper[row] = reach;
      const limit = Math.max(least, gaps[label]);
      if (reach * apart < limit) continue;
      own[i] = directDistance(data, i * cols, this.centers, label * cols, cols);
      reach = this.above(own[i]);
      upper[row] = reach;
      reach *= apart;
      if (reach < limit) continue;
      const firstPair = scan.count;
      let candidates = 0;
      for (let g = 0, at = row * t; g < t; g++, at++) {
        if (reach < lower[at] || (allGaps && reach < allGaps[label * centerCount + g])) continue;
        scan.push(i, g);
        candidates += members[g].length;
      }
      if (candidates > fullScan) {
        scan.count = firstPair;
        this.pending[this.pendingCount++] = i;
      } else if (candidates > 0) {
        this.scanned++;
      }
    }
  }

  /** Labels and bounds of the rows compared with a few groups. @returns how many labels changed */
  private decideAmongGroups(start: number): number {
    const { upper, lower, own, groups, scan } = this;
    const { labels } = this.context;
    const t = groups.count;
    const apart = (1 + this.margin) ** 2;
    let changed = 0;
    for (let first = 0, end = 0; first < scan.count; first = end) {
      const i = scan.rows[first];
      const row = start + i;
      const label = labels[row];
      let winner = label;
      let least = own[i];
      let next = Infinity;
      for (end = first; end < scan.count && scan.rows[end] === i; end++) {
        for (const nearer of [true, false]) {
          const candidate = nearer ? scan.bestLabels[end] : scan.secondLabels[end];
          const square = nearer ? scan.best[end] : scan.second[end];
          if (candidate === label) continue;
          if (square < least) {
            next = least;
            least = square;
            winner = candidate;
          } else if (square < next) {
            next = square;
          }
        }
      }
      if (next <= least * apart) {
        // Too near to call in this order of summation: the kernel decides, as it does for Lloyd.
        this.pending[this.pendingCount++] = i;
        this.scanned--; // counted again there
        continue;
      }
      const home = row * t + groups.groupOf[label];
      if (winner !== label) {
        labels[row] = winner;
        lower[home] = Math.min(lower[home], this.below(own[i]));
        changed++;
      }
      upper[row] = this.above(least);
      for (let p = first; p < end; p++) {
        const other = scan.bestLabels[p] === winner ? scan.second[p] : scan.best[p];
        lower[row * t + scan.groups[p]] = this.below(other);
      }
    }
    return changed;
  }

  private async compareWithAll({ start, data }: RowTile): Promise<number> {
    const { cols, labels } = this.context;
    const { lower, upper, groups, pending, pendingCount, own } = this;
    const t = groups.count;
    for (let i = 0; i < pendingCount; i++) copyRow(data, pending[i] * cols, this.gathered, i * cols, cols);
    await this.callNearest(this.gathered, pendingCount);
    this.scanned += pendingCount;
    let changed = 0;
    for (let i = 0; i < pendingCount; i++) {
      const row = start + pending[i];
      const label = labels[row];
      const winner = this.nearest[i];
      if (winner !== label) {
        // The old center is one of the others now.
        const home = row * t + groups.groupOf[label];
        lower[home] = Math.min(lower[home], this.below(own[pending[i]]));
        labels[row] = winner;
        changed++;
      }
      upper[row] = this.above(this.nearestSquares[i]);
      const bound = this.below(this.secondSquares[i]);
      for (let at = row * t; at < (row + 1) * t; at++) if (lower[at] < bound) lower[at] = bound;
    }
    return changed;
  }

  private async callNearest(points: Float32Array, rows: number): Promise<void> {
    const { kernels, cols, centerCount, origin } = this.context;
    await kernels.nearest({
      points,
      rows,
      dim: cols,
      centers: this.centers,
      centerCount,
      origin,
      labels: this.nearest,
      distances: this.nearestSquares,
      secondLabels: this.second,
      secondDistances: this.secondSquares,
    });
  }

  /** A distance certainly not below that of a computed square. */
  private above(square: number): number {
    return Math.sqrt(square) * (1 + this.margin);
  }

  /** A distance certainly not above that of a computed square, also after rounding to float32. */
  private below(square: number): number {
    return Math.sqrt(square) * (1 - this.margin) * DOWN32;
  }
}
