// Groups of centers that share one bound per row, and what of them changes from pass to pass.

import type { Kernels } from '../kernels/index.ts';
import { directDistance } from '../kernels/index.ts';
import { roundingMargin } from './distance.ts';

/** Iterations that form the groups; the groups decide speed only, so a rough partition will do (Ding et al. use five). */
const GROUPING_ITERATIONS = 5;

/** A partition of the centers, with the movement of each part. */
export class CenterGroups {
  /** Groups, t ≤ k. */
  readonly count: number;
  /** Group of each center, shape (k,). */
  readonly groupOf: Uint32Array;
  /** Centers of each group, ascending. */
  readonly members: Uint32Array[];
  /** Largest movement in each group, shape (t,); the center that made it; the largest of the others. */
  readonly drift: Float64Array;
  readonly driftCenter: Uint32Array;
  readonly restDrift: Float64Array;

  constructor(groupOf: Uint32Array, count: number) {
    this.count = count;
    this.groupOf = groupOf;
    const members: number[][] = Array.from({ length: count }, () => []);
    groupOf.forEach((g, j) => {
      members[g].push(j);
    });
    this.members = members.map((list) => Uint32Array.from(list));
    this.drift = new Float64Array(count);
    this.driftCenter = new Uint32Array(count);
    this.restDrift = new Float64Array(count);
  }

  /** Takes in how far the centers moved. */
  move(shifts: Float64Array): void {
    this.drift.fill(0);
    this.restDrift.fill(0);
    for (let j = 0; j < shifts.length; j++) {
      const g = this.groupOf[j];
      if (shifts[j] > this.drift[g]) {
        this.restDrift[g] = this.drift[g];
        this.drift[g] = shifts[j];
        this.driftCenter[g] = j;
      } else if (shifts[j] > this.restDrift[g]) {
        this.restDrift[g] = shifts[j];
      }
    }
  }
}

/** Puts k centers into at most `count` groups of near ones: all in one, each alone, or by a short k-means over the centers. */
export async function groupCenters(
  centers: Float32Array,
  cols: number,
  count: number,
  kernels: Kernels,
  origin: Float32Array,
): Promise<CenterGroups> {
  const k = centers.length / cols;
  if (count <= 1) return new CenterGroups(new Uint32Array(k), 1);
  if (count >= k)
    return new CenterGroups(
      Uint32Array.from({ length: k }, (_, j) => j),
      k,
    );
  const groupOf = new Uint32Array(k);
  const heads = new Float32Array(count * cols);
  for (let g = 0; g < count; g++) {
    const j = Math.floor((g * k) / count);
    heads.set(centers.subarray(j * cols, (j + 1) * cols), g * cols);
  }
  const distances = new Float64Array(k);
  for (let iteration = 0; ; iteration++) {
    await kernels.nearest({
      points: centers,
      rows: k,
      dim: cols,
      centers: heads,
      centerCount: count,
      origin,
      labels: groupOf,
      distances,
    });
    if (iteration === GROUPING_ITERATIONS) break;
    const sums = new Float64Array(count * cols);
    const counts = new Float64Array(count);
    await kernels.labelSums({
      points: centers,
      rows: k,
      dim: cols,
      labels: groupOf,
      centerCount: count,
      sums,
      counts,
    });
    for (let p = 0; p < heads.length; p++) {
      const weight = counts[Math.floor(p / cols)];
      if (weight > 0) heads[p] = sums[p] / weight;
    }
  }
  // Groups without a center would be bounds of nothing: number the others without gaps.
  const used = [...new Set(groupOf)].sort((a, b) => a - b);
  const rank = new Map(used.map((g, i) => [g, i]));
  return new CenterGroups(
    groupOf.map((g) => rank.get(g)!),
    used.length,
  );
}

/** Half the distance from each center to the nearest other one, rounded down, shape (k,): a row nearer than that is settled. */
export async function halfGaps(
  centers: Float32Array,
  cols: number,
  kernels: Kernels,
  origin: Float32Array,
): Promise<Float64Array> {
  const k = centers.length / cols;
  if (k === 1) return Float64Array.of(Infinity);
  const second = new Float64Array(k);
  await kernels.nearest({
    points: centers,
    rows: k,
    dim: cols,
    centers,
    centerCount: k,
    origin,
    labels: new Uint32Array(k),
    distances: new Float64Array(k),
    secondLabels: new Uint32Array(k),
    secondDistances: second,
  });
  // A center is its own nearest, or ties with a twin at distance 0: the second is the nearest other one.
  const down = 1 - roundingMargin(cols);
  return second.map((square) => (Math.sqrt(square) / 2) * down);
}

/** Half the distances between all centers, rounded down, shape (k, k): Elkan's test of single centers. O(k² d). */
export function allHalfGaps(centers: Float32Array, cols: number): Float64Array {
  const k = centers.length / cols;
  const gaps = new Float64Array(k * k);
  const down = (1 - roundingMargin(cols)) / 2;
  for (let i = 0; i < k; i++) {
    for (let j = 0; j < i; j++) {
      const gap = Math.sqrt(directDistance(centers, i * cols, centers, j * cols, cols)) * down;
      gaps[i * k + j] = gap;
      gaps[j * k + i] = gap;
    }
  }
  return gaps;
}
