// The last step of every clustering: all rows assigned to the final centers, no cluster left empty, and the result put together.

import type { Progress } from '../core/progress.ts';
import type { Kernels } from '../kernels/index.ts';
import { type Assignment, assignAll } from './assign.ts';
import { objective } from './iterate.ts';
import { repairEmptyClusters } from './repair.ts';
import type { Rows } from './rows.ts';
import type { Clustering, ClusteringEvent, IterationStatistics } from './types.ts';

/** Re-seedings at most; each lowers the inertia, and more than one is rare. */
const MOST_REPAIRS = 16;

export interface FinishContext {
  rows: Rows;
  kernels: Kernels;
  origin: Float32Array;
  onProgress: ((progress: Progress) => void) | undefined;
}

/** What training leaves behind. */
export interface Trained {
  /** Shape (k, d); copied before it is changed. */
  centers: Float32Array;
  history: IterationStatistics[];
  converged: boolean;
  /** Labels and distances of all rows to these centers, when known. */
  assigned?: Assignment | undefined;
  /** What happened so far; what happens here is added. */
  events: ClusteringEvent[];
}

/** Assigns all rows where that is not done, repairs what is empty, and measures the result. At most 17 passes; one as a rule, none when `assigned`. */
export async function finish(
  context: FinishContext,
  { centers, history, converged, assigned, events }: Trained,
  {
    k: requested,
    weights,
    seed = 0,
    power = 2,
  }: { k: number; weights?: Float64Array | undefined; seed?: number; power?: number },
): Promise<Clustering> {
  const { rows, kernels } = context;
  const { cols } = rows;
  const labels = assigned?.labels ?? new Uint32Array(rows.rows);
  const distances = assigned?.distances ?? new Float64Array(rows.rows);
  const assign = () => assignAll(context, centers, labels, distances, context.onProgress);
  if (!assigned) await assign();
  let counts = weightPerCluster(labels, weights, centers.length / cols);
  for (let repair = 0; counts.includes(0); repair++) {
    const next = centers.slice();
    const task = { centers: next, assignedTo: centers, labels, counts, weights, iteration: 0 };
    const repaired = repair < MOST_REPAIRS ? await repairEmptyClusters(rows, task) : [];
    // No row is off its center: there are fewer distinct rows than clusters, and the empty ones go.
    centers = repaired.length > 0 ? next : withoutEmpty(centers, cols, counts);
    events.push(...repaired);
    await assign();
    counts = weightPerCluster(labels, weights, centers.length / cols);
  }
  const actual = centers.length / cols;
  if (actual < requested) events.push({ type: 'k-reduced', requested, actual });
  return {
    centers: { data: centers, rows: actual, cols },
    ...{ labels, distances, counts },
    inertia: objective(distances, weights, power),
    iterations: history.length,
    ...{ converged, history, events, seed },
    backend: `${kernels.backend} ${kernels.simd}`,
  };
}

/** Σ weight of the rows of each cluster, shape (k,). */
function weightPerCluster(labels: Uint32Array, weights: Float64Array | undefined, k: number): Float64Array {
  const counts = new Float64Array(k);
  for (let i = 0; i < labels.length; i++) counts[labels[i]] += weights ? weights[i] : 1;
  return counts;
}

function withoutEmpty(centers: Float32Array, cols: number, counts: Float64Array): Float32Array {
  const kept = [...counts.keys()].filter((j) => counts[j] > 0);
  const next = new Float32Array(kept.length * cols);
  kept.forEach((j, i) => {
    next.set(centers.subarray(j * cols, (j + 1) * cols), i * cols);
  });
  return next;
}
