// k-means: choose centers, train, assign.

import { InvalidArgumentError } from '../core/errors.ts';
import type { Matrix32, RowSource } from '../core/matrix.ts';
import { createRng, type Rng } from '../core/rng.ts';
import { loadKernels } from '../kernels/index.ts';
import { type Assigner, type AssignerContext, LloydAssigner } from './assigner.ts';
import { AutoAssigner } from './auto-assigner.ts';
import { BoundedAssigner } from './bounded-assigner.ts';
import { MeanUpdate, MedianUpdate } from './center-update.ts';
import { finish } from './finish.ts';
import { type Iterated, iterate, objective } from './iterate.ts';
import { checkKMeansOptions, type KMeansOptions } from './options.ts';
import { normalizeRows, Rows } from './rows.ts';
import { chooseSeeds } from './seeding/seed-centers.ts';
import { prepareTraining, type Training } from './training-rows.ts';
import type { Clustering, ClusteringEvent } from './types.ts';

/** Most centers that are seeded greedily by default: greedy multiplies by 2 + ⌊ln k⌋ candidates a center, k-means|| by ten in all. */
const GREEDY_CENTERS = 256;

/** Centers per group of Yinyang's bounds (Ding et al., section 4). */
const YINYANG_GROUP = 10;

/**
 * Partitions rows into k clusters around centers, minimising Σ weight · distance².
 *
 * Lloyd's iteration from the chosen start: each row goes to its nearest center (exactly; ties to the lowest index), each center to the mean of
 * its rows, in float64 and then rounded to float32. An empty cluster is re-seeded at the row farthest from its center. The last step
 * is always an exact assignment of all rows to the returned centers.
 *
 * A source is read in passes and never held: centers are computed from a sample taken in one pass (`trainRowsPerCenter`), or, with
 * `trainRowsPerCenter: Infinity`, in one pass per iteration. The result does not depend on the block size.
 *
 * @param points - shape (n, d), n ≥ 1, d ≥ 1, finite; left as it is
 * @returns k clusters, or fewer when there are fewer distinct rows (told in `events`)
 * @throws {InvalidArgumentError} an option leaves its range, or a row is NaN or infinite (naming it) @throws {ShapeError} shapes do not fit
 *
 * Time O(n k d) per iteration, less where bounds pay; memory 20 to 40 bytes a row beside the data.
 * Source: Lloyd 1982; what is taken from where is said at each part.
 *
 * @example
 * const { labels, centers } = await kMeans(points, { k: 10, seed: 1 });
 */
export async function kMeans(points: Matrix32 | RowSource, options: KMeansOptions): Promise<Clustering> {
  const { k, seed = 0, weights, spherical = false, restarts = 1, signal, onProgress } = options;
  const trainRows = checkKMeansOptions(points, options);
  const kernels = await loadKernels();
  const rows = new Rows('kMeans: points', points, { spherical, signal });
  const events: ClusteringEvent[] = [];
  const training = await prepareTraining(rows, { kernels, weights, trainRows, k, signal, events }, seed);

  let best: (Iterated & { labels: Uint32Array; inertia: number }) | undefined;
  for (let restart = 0; restart < restarts; restart++) {
    const run = await train(training, options, createRng(seed).fork(`restart ${restart}`));
    if (!best || run.inertia < best.inertia) best = run;
  }
  events.push(...best!.events);
  const { centers, distances, history, converged } = best!;
  const assigned = training.rows === rows ? { labels: best!.labels, distances } : undefined;
  const trained = { centers, history, converged, assigned, events };
  return finish({ rows, kernels, origin: training.origin, onProgress }, trained, options);
}

/** One run from one start. */
async function train(
  { rows, kernels, weights, origin, scatter, meanVariance }: Training,
  options: KMeansOptions,
  rng: Rng,
): Promise<Iterated & { labels: Uint32Array; inertia: number }> {
  const { k, spherical = false, power = 2, maxIterations = 100, tolerance = 1e-4, onProgress } = options;
  const { cols, tileRows } = rows;
  const { init = rows.resident && k <= GREEDY_CENTERS ? 'greedy' : 'k-means||' } = options;
  let start: Float32Array;
  if (typeof init === 'string') {
    onProgress?.({ phase: 'seeding', done: 0, total: 1 });
    const seeds = await chooseSeeds({ rows, kernels, weights, power, origin }, k, init, rng.fork('seeds'));
    start = seeds.centers.data;
  } else {
    start = init.data.slice();
  }
  // Means of directions, and a caller's centers, need not lie on the sphere.
  if (spherical)
    start = normalizeRows('kMeans: init', { start: 0, rows: start.length / cols, data: start }, cols);
  const centerCount = start.length / cols;
  const labels = new Uint32Array(rows.rows);
  const update = { kernels, centerCount, cols, weights, origin, scatter, spherical };
  const run = await iterate(rows, start, {
    assigner: chooseAssigner({ kernels, cols, centerCount, tileRows, origin, labels }, options),
    update: power === 2 ? new MeanUpdate(update) : new MedianUpdate(update),
    labels,
    weights,
    power,
    maxIterations,
    maxShift: tolerance * meanVariance,
    onProgress,
  });
  return { ...run, labels, inertia: objective(run.distances, weights, power) };
}

function chooseAssigner(
  context: AssignerContext,
  { algorithm = 'auto', power = 2, boundMemory = 2 ** 30 }: KMeansOptions,
): Assigner {
  const { centerCount: k, labels } = context;
  if (algorithm === 'lloyd' || power === 1) return new LloydAssigner(context);
  if (algorithm === 'auto') return new AutoAssigner(context);
  if (algorithm === 'hamerly') return new BoundedAssigner(context, { algorithm, groupCount: 1 });
  const affordable = Math.floor(boundMemory / (4 * labels.length));
  if (algorithm === 'yinyang') {
    const groupCount = Math.max(1, Math.min(Math.ceil(k / YINYANG_GROUP), affordable));
    return new BoundedAssigner(context, { algorithm, groupCount });
  }
  if (affordable < k) {
    throw new InvalidArgumentError(
      `kMeans: algorithm "elkan" would keep ${4 * k * labels.length} bytes of bounds (4 · n · k); expected at most ` +
        `boundMemory = ${boundMemory}. Use "hamerly" or "yinyang", or raise boundMemory.`,
    );
  }
  return new BoundedAssigner(context, { algorithm, groupCount: k });
}
