// The loop of Lloyd's method: assign, move, until nothing changes. Whoever assigns, the centers take the same path.

import type { Progress } from '../core/progress.ts';
import { CompensatedSum } from '../core/sums.ts';
import { directDistance } from '../kernels/index.ts';
import type { Assigner } from './assigner.ts';
import type { CenterUpdate } from './center-update.ts';
import { ownSquaredDistances, roundingMargin } from './distance.ts';
import { repairEmptyClusters } from './repair.ts';
import type { Rows } from './rows.ts';
import type { ClusteringEvent, IterationStatistics } from './types.ts';

export interface IterateOptions {
  assigner: Assigner;
  update: CenterUpdate;
  /** Shape (n,), shared with the assigner. */
  labels: Uint32Array;
  weights: Float64Array | undefined;
  /** Objective Σ weight · distance^power: 2 for means, 1 for medians. */
  power: 1 | 2;
  maxIterations: number;
  /** Stop when Σ‖Δc‖² is at most this. */
  maxShift: number;
  onProgress?: ((progress: Progress) => void) | undefined;
}

export interface Iterated {
  centers: Float32Array;
  /** Squared, to the own center, shape (n,). */
  distances: Float64Array;
  converged: boolean;
  history: IterationStatistics[];
  events: ClusteringEvent[];
}

/** Runs from `start`, shape (k, d); on return `labels` are the assignment to the returned centers. */
export async function iterate(
  rows: Rows,
  start: Float32Array,
  { assigner, update, labels, weights, power, maxIterations, maxShift, onProgress }: IterateOptions,
): Promise<Iterated> {
  const history: IterationStatistics[] = [];
  const events: ClusteringEvent[] = [];
  let centers = start;
  let shifts: Float64Array | undefined;
  let converged = false;
  let settled = false; // labels belong to `centers`
  while (history.length < maxIterations && !converged) {
    const iteration = history.length + 1;
    const { algorithm } = assigner;
    await assigner.begin(centers, shifts);
    if (assigner.algorithm !== algorithm) {
      events.push({ type: 'algorithm-switch', iteration, from: algorithm, to: assigner.algorithm });
    }
    update.reset(centers);
    let changed = 0;
    for await (const tile of rows.tiles()) {
      const end = tile.start + tile.rows;
      changed += await assigner.assign(tile);
      await update.add(tile, labels.subarray(tile.start, end), assigner.distances?.subarray(tile.start, end));
    }
    const inertia = assigner.distances
      ? objective(assigner.distances, weights, power)
      : (update.inertia() ?? Number.NaN);
    if (iteration === 1) changed = rows.rows;
    const statistics = { inertia, changed, scanned: assigner.scanned, shift: 0 };
    history.push(statistics);
    // Means of the same labels are the same centers. A median may still be on its way.
    if (power === 2 && changed === 0) {
      converged = true;
      settled = true;
      break;
    }
    const next = update.next();
    const { counts } = update;
    events.push(
      ...(await repairEmptyClusters(rows, {
        centers: next,
        assignedTo: centers,
        labels,
        counts,
        weights,
        iteration,
      })),
    );
    shifts = centerShifts(centers, next, rows.cols);
    statistics.shift = shifts.reduce((sum, shift) => sum + shift * shift, 0);
    centers = next;
    if (statistics.shift <= maxShift) converged = true;
    onProgress?.({ phase: 'k-means iteration', done: iteration, total: maxIterations });
  }
  if (!settled) {
    await assigner.begin(centers, shifts);
    for await (const tile of rows.tiles()) await assigner.assign(tile);
  }
  let { distances } = assigner;
  if (!distances) {
    distances = new Float64Array(rows.rows);
    await ownSquaredDistances(rows, labels, centers, distances);
  }
  return { centers, distances, converged, history, events };
}

/** Σ weight · distance^power, compensated. @param distances - squared */
export function objective(distances: Float64Array, weights: Float64Array | undefined, power: number): number {
  const sum = new CompensatedSum();
  for (let i = 0; i < distances.length; i++) {
    const distance = power === 2 ? distances[i] : distances[i] ** (power / 2);
    sum.add((weights ? weights[i] : 1) * distance);
  }
  return sum.value;
}

/** Distance from each old center to its new one, rounded up. */
export function centerShifts(from: Float32Array, to: Float32Array, cols: number): Float64Array {
  const up = 1 + roundingMargin(cols);
  return Float64Array.from(
    { length: from.length / cols },
    (_, j) => Math.sqrt(directDistance(from, j * cols, to, j * cols, cols)) * up,
  );
}
