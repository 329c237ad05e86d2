// Empty clusters: their centers go where the error is greatest.

import { directDistance } from '../kernels/index.ts';

import type { Rows } from './rows.ts';
import type { ClusteringEvent } from './types.ts';

export interface RepairTask {
  /** Moved in place where their cluster is empty, shape (k, d). */
  centers: Float32Array;
  /** The centers that `labels` refer to, shape (k, d). */
  assignedTo: Float32Array;
  labels: Uint32Array;
  /** Weight of each cluster, shape (k,). */
  counts: Float64Array;
  weights: Float64Array | undefined;
  iteration: number;
}

/**
 * Moves the center of each empty cluster to the row farthest from its own center (ties to the lowest id, weight > 0, each place once);
 * no row need be taken from its old cluster, since the next assignment only gains by a further center.
 *
 * Distances are computed anew, the same way for every algorithm, so that all pick the same rows. One pass, O(n d), and only when
 * there is an empty cluster. @returns one event per center moved; fewer than empty clusters when no row is off its center
 */
export async function repairEmptyClusters(
  rows: Rows,
  { centers, assignedTo, labels, counts, weights, iteration }: RepairTask,
): Promise<ClusteringEvent[]> {
  const empty = [...counts.keys()].filter((j) => !(counts[j] > 0));
  if (empty.length === 0) return [];
  const { cols } = rows;
  // The farthest rows so far, nearest of them last: empty clusters are few, so insertion is cheap.
  const farthest: { id: number; distance: number; row: Float32Array }[] = [];
  for await (const { start, rows: count, data } of rows.tiles()) {
    for (let i = 0; i < count; i++) {
      const id = start + i;
      if (weights && !(weights[id] > 0)) continue;
      const distance = directDistance(data, i * cols, assignedTo, labels[id] * cols, cols);
      const full = farthest.length === empty.length;
      if (distance === 0 || (full && distance <= farthest[farthest.length - 1].distance)) continue;
      const row = data.slice(i * cols, (i + 1) * cols);
      // Two centers in one place would leave one of them empty again.
      if (farthest.some((other) => other.distance === distance && other.row.every((x, p) => x === row[p]))) {
        continue;
      }
      if (full) farthest.pop();
      let at = farthest.length;
      while (at > 0 && farthest[at - 1].distance < distance) at--;
      farthest.splice(at, 0, { id, distance, row });
    }
  }
  return farthest.map(({ id, row }, i) => {
    centers.set(row, empty[i] * cols);
    return { type: 'empty-cluster', iteration, cluster: empty[i], row: id };
  });
}
