// Compares rows with a few groups of centers each: the inner scan of Yinyang's and Elkan's methods.

import { directDistance } from '../kernels/index.ts';
import type { AssignerContext } from './assigner.ts';
import type { CenterGroups } from './center-groups.ts';

import type { RowTile } from './rows.ts';

/** Multiply-adds below which a loop here beats gathering rows for a kernel call. */
const DIRECT_WORK = 1 << 15;

/**
 * A list of (row, group) pairs of one tile, in row order, and for each the nearest and second nearest center of the group.
 *
 * Pairs are worked off group by group, so that the rows that need one group form a matrix for `kernels.nearest`.
 */
export class GroupScan {
  count = 0;
  /** Row in the tile and group of each pair. */
  rows: Uint32Array = new Uint32Array(1024);
  groups: Uint32Array = new Uint32Array(1024);
  /** Squared distance and index of the nearest center of the pair's group, and of the second (Infinity when alone). */
  best: Float64Array = new Float64Array(0);
  bestLabels: Uint32Array = new Uint32Array(0);
  second: Float64Array = new Float64Array(0);
  secondLabels: Uint32Array = new Uint32Array(0);
  private gathered: Float32Array = new Float32Array(0);
  private readonly context: AssignerContext;
  private readonly centerGroups: CenterGroups;

  constructor(context: AssignerContext, centerGroups: CenterGroups) {
    this.context = context;
    this.centerGroups = centerGroups;
  }

  push(row: number, group: number): void {
    if (this.count === this.rows.length) {
      this.rows = doubled(this.rows);
      this.groups = doubled(this.groups);
    }
    this.rows[this.count] = row;
    this.groups[this.count++] = group;
  }

  async run({ data }: RowTile, centers: Float32Array): Promise<void> {
    const { cols } = this.context;
    if (this.best.length < this.count) {
      const capacity = this.rows.length;
      this.best = new Float64Array(capacity);
      this.second = new Float64Array(capacity);
      this.bestLabels = new Uint32Array(capacity);
      this.secondLabels = new Uint32Array(capacity);
    }
    const { starts, order } = this.byGroup();
    for (let g = 0; g < this.centerGroups.count; g++) {
      const pairs = order.subarray(starts[g], starts[g + 1]);
      const members = this.centerGroups.members[g];
      if (pairs.length === 0) continue;
      if (members.length === 1 || pairs.length * members.length * cols < DIRECT_WORK) {
        for (const pair of pairs) this.direct(pair, data, centers, members);
      } else {
        await this.byKernel(pairs, data, centers, members);
      }
    }
  }

  /** Counting sort of the pairs by group. */
  private byGroup(): { starts: Uint32Array; order: Uint32Array } {
    const starts = new Uint32Array(this.centerGroups.count + 1);
    for (let p = 0; p < this.count; p++) starts[this.groups[p] + 1]++;
    for (let g = 1; g < starts.length; g++) starts[g] += starts[g - 1];
    const next = starts.slice();
    const order = new Uint32Array(this.count);
    for (let p = 0; p < this.count; p++) order[next[this.groups[p]]++] = p;
    return { starts, order };
  }

  private direct(pair: number, data: Float32Array, centers: Float32Array, members: Uint32Array): void {
    const { cols } = this.context;
    const at = this.rows[pair] * cols;
    let best = Infinity;
    let second = Infinity;
    let bestLabel = members[0];
    let secondLabel = members[0];
    for (let m = 0; m < members.length; m++) {
      const distance = directDistance(data, at, centers, members[m] * cols, cols);
      if (distance < best) {
        second = best;
        secondLabel = bestLabel;
        best = distance;
        bestLabel = members[m];
      } else if (distance < second) {
        second = distance;
        secondLabel = members[m];
      }
    }
    this.best[pair] = best;
    this.bestLabels[pair] = bestLabel;
    this.second[pair] = second;
    this.secondLabels[pair] = secondLabel;
  }

  private async byKernel(
    pairs: Uint32Array,
    data: Float32Array,
    centers: Float32Array,
    members: Uint32Array,
  ): Promise<void> {
    const { kernels, cols, origin } = this.context;
    if (this.gathered.length < pairs.length * cols) this.gathered = new Float32Array(pairs.length * cols);
    pairs.forEach((pair, i) => {
      const at = this.rows[pair] * cols;
      copyRow(data, at, this.gathered, i * cols, cols);
    });
    const groupCenters = new Float32Array(members.length * cols);
    members.forEach((j, m) => {
      groupCenters.set(centers.subarray(j * cols, (j + 1) * cols), m * cols);
    });
    const labels = new Uint32Array(pairs.length);
    const secondLabels = new Uint32Array(pairs.length);
    const distances = new Float64Array(pairs.length);
    const secondDistances = new Float64Array(pairs.length);
    await kernels.nearest({
      points: this.gathered,
      rows: pairs.length,
      dim: cols,
      centers: groupCenters,
      centerCount: members.length,
      origin,
      labels,
      distances,
      secondLabels,
      secondDistances,
    });
    pairs.forEach((pair, i) => {
      this.best[pair] = distances[i];
      this.bestLabels[pair] = members[labels[i]];
      this.second[pair] = secondDistances[i];
      this.secondLabels[pair] = members[secondLabels[i]];
    });
  }
}

/** Copies `cols` numbers: a loop, since a subarray per row would cost more than copying it. */
export function copyRow(
  from: Float32Array,
  fromStart: number,
  to: Float32Array,
  toStart: number,
  cols: number,
): void {
  for (let p = 0; p < cols; p++) to[toStart + p] = from[fromStart + p];
}

function doubled(array: Uint32Array): Uint32Array {
  const next = new Uint32Array(2 * array.length);
  next.set(array);
  return next;
}
