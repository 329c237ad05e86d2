// Mini-batch k-means: centers that learn from small samples, then one exact pass.

import { requireInteger, requirePositive } from '../core/check.ts';
import type { Matrix32, RowSource } from '../core/matrix.ts';
import { createRng, type Rng } from '../core/rng.ts';
import { loadKernels } from '../kernels/index.ts';
import { finish } from './finish.ts';
import { objective } from './iterate.ts';
import { type ClusteringOptions, checkClusteringOptions } from './options.ts';
import { normalizeRows, Rows } from './rows.ts';
import { chooseSeeds } from './seeding/seed-centers.ts';
import { prepareTraining, type Training } from './training-rows.ts';
import type { Clustering, ClusteringEvent, IterationStatistics } from './types.ts';

export interface MiniBatchOptions extends ClusteringOptions {
  /** Rows per step, drawn anew each time; raised to max(1024, 4 k), below which many centers would see no row. Default: that. */
  batchSize?: number;
  /** Steps at most, in passes over the training rows, > 0. Default 10. */
  maxEpochs?: number;
  /** Stop after so many steps without a lower smoothed batch inertia, ≥ 1. Default 10. */
  patience?: number;
}

/**
 * Clusters by small steps: a batch of rows goes to its nearest centers, and each center moves to the mean of all rows it was ever given
 * (rate 1/count per row). One exact assignment pass follows.
 *
 * Much faster than `kMeans` on large data and some per cent worse in inertia; worse still when k nears the batch size. A center
 * that no row has come to after the first ten steps moves to the row of the batch that is farthest from its own.
 *
 * @param points - shape (n, d), n ≥ 1, finite
 * @returns as `kMeans`; `history` has one entry per step, its inertia the batch's, scaled to all training rows
 * @throws {InvalidArgumentError | ShapeError} as `kMeans`
 *
 * Time O(batch · k · d) per step and O(n k d) for the last pass. Source: Sculley, WWW 2010, with rows of a batch taken together.
 */
export async function miniBatchKMeans(
  points: Matrix32 | RowSource,
  options: MiniBatchOptions,
): Promise<Clustering> {
  const {
    k,
    seed = 0,
    weights,
    spherical = false,
    maxEpochs = 10,
    patience = 10,
    signal,
    onProgress,
  } = options;
  const trainRows = checkClusteringOptions('miniBatchKMeans', points, options);
  requireInteger('miniBatchKMeans: batchSize', options.batchSize ?? 1, 1);
  requirePositive('miniBatchKMeans: maxEpochs', maxEpochs);
  requireInteger('miniBatchKMeans: patience', patience, 1);
  const kernels = await loadKernels();
  const rows = new Rows('miniBatchKMeans: points', points, { spherical, signal });
  const events: ClusteringEvent[] = [];
  const training = await prepareTraining(rows, { kernels, weights, trainRows, k, signal, events }, seed);
  const trained = await trainByBatches(training, options, createRng(seed), events);
  return finish(
    { rows, kernels, origin: training.origin, onProgress },
    { ...trained, events },
    { k, weights, seed },
  );
}

async function trainByBatches(
  training: Training,
  options: MiniBatchOptions,
  rng: Rng,
  events: ClusteringEvent[],
): Promise<{ centers: Float32Array; history: IterationStatistics[]; converged: boolean }> {
  const { rows, kernels, weights, origin, weight: totalWeight } = training;
  const { k, spherical = false, maxEpochs = 10, patience = 10, signal, onProgress } = options;
  const { cols } = rows;
  const size = Math.min(rows.rows, Math.max(options.batchSize ?? 0, 1024, 4 * k));
  const centers = await firstCenters(training, options, rng);
  const centerCount = centers.length / cols;
  const seen = new Float64Array(centerCount); // Σ weight of the rows a center was ever given
  const labels = new Uint32Array(size);
  const distances = new Float64Array(size);
  const steps = Math.max(1, Math.ceil((maxEpochs * rows.rows) / size));
  // The smoothing spans about one pass over the data, as many batches as that takes.
  const smoothing = Math.min(1, (2 * size) / (rows.rows + 1));
  const history: IterationStatistics[] = [];
  let smoothed = Infinity;
  let least = Infinity;
  let idle = 0;
  for (let step = 1; step <= steps && idle < patience; step++) {
    signal?.throwIfAborted();
    const ids = drawBatch(rows.rows, size, rng.fork(step));
    const batch = await rows.take(ids);
    const batchWeights = weights && Float64Array.from(ids, (i) => weights[i]);
    const points = { points: batch.data, rows: size, dim: cols };
    await kernels.nearest({ ...points, centers, centerCount, origin, labels, distances });
    const sums = new Float64Array(centers.length);
    const counts = new Float64Array(centerCount);
    await kernels.labelSums({
      ...points,
      labels,
      centerCount,
      ...(batchWeights && { weights: batchWeights }),
      sums,
      counts,
    });
    const before = centers.slice();
    for (let j = 0; j < centerCount; j++) {
      if (!(counts[j] > 0)) continue;
      seen[j] += counts[j];
      // count · c + Σ(x − c) over count: what one step of rate 1/count per row comes to.
      for (let p = j * cols; p < (j + 1) * cols; p++)
        centers[p] += (sums[p] - counts[j] * centers[p]) / seen[j];
    }
    if (spherical) renormalize(centers, cols);
    if (step % 10 === 0)
      reseedUnused({ seen, centers, cols, ids, data: batch.data, distances, step, events });
    const batchWeight = counts.reduce((sum, count) => sum + count, 0);
    const inertia = batchWeight > 0 ? (objective(distances, batchWeights, 2) / batchWeight) * totalWeight : 0;
    let shift = 0;
    for (let p = 0; p < centers.length; p++) shift += (centers[p] - before[p]) ** 2;
    history.push({ inertia, changed: 0, scanned: size, shift });
    smoothed = smoothed === Infinity ? inertia : smoothed + smoothing * (inertia - smoothed);
    idle = smoothed < least ? 0 : idle + 1;
    least = Math.min(least, smoothed);
    onProgress?.({ phase: 'mini-batch step', done: step, total: steps });
  }
  return { centers, history, converged: idle >= patience };
}

async function firstCenters(training: Training, options: MiniBatchOptions, rng: Rng): Promise<Float32Array> {
  const { k, init = 'greedy', spherical = false } = options;
  const { cols } = training.rows;
  const start =
    typeof init === 'string'
      ? (await chooseSeeds({ ...training, power: 2 }, k, init, rng.fork('seeds'))).centers.data
      : init.data.slice();
  if (!spherical) return start;
  return normalizeRows('miniBatchKMeans: init', { start: 0, rows: start.length / cols, data: start }, cols);
}

/** Rows drawn with replacement, in row order (near rows are near in memory); all of them when the batch is that large. */
function drawBatch(n: number, size: number, rng: Rng): Uint32Array {
  if (size === n) return Uint32Array.from({ length: n }, (_, i) => i);
  return Uint32Array.from({ length: size }, () => rng.integer(n)).sort();
}

interface ReseedTask {
  seen: Float64Array;
  centers: Float32Array;
  cols: number;
  ids: Uint32Array;
  data: Float32Array;
  distances: Float64Array;
  step: number;
  events: ClusteringEvent[];
}

function reseedUnused({ seen, centers, cols, ids, data, distances, step, events }: ReseedTask): void {
  const unused = [...seen.keys()].filter((j) => seen[j] === 0);
  if (unused.length === 0) return;
  const order = [...distances.keys()].sort((a, b) => distances[b] - distances[a] || a - b);
  let next = 0;
  for (const cluster of unused) {
    // The same row may have been drawn twice.
    while (next > 0 && next < order.length && ids[order[next]] === ids[order[next - 1]]) next++;
    if (next >= order.length || distances[order[next]] === 0) return;
    const i = order[next++];
    centers.set(data.subarray(i * cols, (i + 1) * cols), cluster * cols);
    events.push({ type: 'empty-cluster', iteration: step, cluster, row: ids[i] });
  }
}

function renormalize(centers: Float32Array, cols: number): void {
  for (let at = 0; at < centers.length; at += cols) {
    let square = 0;
    for (let p = at; p < at + cols; p++) square += centers[p] * centers[p];
    if (square > 0) for (let p = at; p < at + cols; p++) centers[p] /= Math.sqrt(square);
  }
}
