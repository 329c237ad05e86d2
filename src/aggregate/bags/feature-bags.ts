// Bags that look at features only: what an analyst without any model can do, and what the rest is compared with.

import { kMeans } from '../../clustering/index.ts';
import { requireInteger, requireSeed } from '../../core/check.ts';
import { type Matrix32, type Matrix64, requireFiniteMatrix, requireMatrix } from '../../core/matrix.ts';
import type { RunOptions } from '../../core/progress.ts';
import { createRng } from '../../core/rng.ts';
import type { Bags } from './bags.ts';
import { type ChunkOptions, chunkBags } from './chunks.ts';
import { requireBagSize, requirePart, toSamples } from './part.ts';
import { sortedOrder } from './sorted-order.ts';

/** Passes of 2-means at most: where a cut falls is settled long before. */
const MOST_ITERATIONS = 20;

/**
 * Bags of samples with similar values of one feature: `chunkBags` of a column.
 *
 * @param features - shape (n, d), finite in that column
 * @param options - `column` in 0 … d − 1
 * @throws {InvalidArgumentError | ShapeError} as `chunkBags`, or there is no such column. O(n)
 */
export function featureSortBags(features: Matrix64, options: ChunkOptions & { column: number }): Bags {
  requireMatrix('featureSortBags: features', features);
  const { column } = options;
  requireInteger('featureSortBags: column', column, 0, features.cols - 1);
  const { data, rows, cols } = features;
  return chunkBags(
    Float64Array.from({ length: rows }, (_, i) => data[i * cols + column]),
    options,
  );
}

/**
 * Bags of samples with similar features: the rows are halved by 2-means, again and again, each cut moved to where both sides have k samples.
 *
 * It takes no notice of the responses, so it is a poor way to choose bags unless all features matter alike: a baseline.
 *
 * @param features - shape (n, d), d ≥ 1, finite
 * @returns bags of k to 2k − 1 samples
 * @throws {InvalidArgumentError | ShapeError} as `randomBags`, or a feature is not finite
 *
 * O(n d log(n / k)) passes of 2-means where the halves are even. Source: arXiv 2402.04987 for the baseline; the halving is derived here.
 */
export async function kMeansBags(features: Matrix64, options: ChunkOptions & RunOptions): Promise<Bags> {
  requireMatrix('kMeansBags: features', features);
  requireInteger('kMeansBags: features.cols', features.cols, 1);
  requireFiniteMatrix('kMeansBags: features', features);
  const { size, seed, signal, onProgress } = options;
  const part = requirePart('kMeansBags', options, features.rows);
  requireBagSize('kMeansBags', 'size', size, part.count);
  requireSeed('kMeansBags: seed', seed);
  const points = centred(features);
  const order = Uint32Array.from({ length: part.count }, (_, i) => i);
  const ends: number[] = [];
  // Runs of `order` still to be cut, the first on top: bags end in order.
  const open = [[0, part.count]];
  for (let run = open.pop(); run; run = open.pop()) {
    const [start, end] = run;
    signal?.throwIfAborted();
    if (end - start < 2 * size) {
      ends.push(end);
      onProgress?.({ phase: 'halving', done: end, total: part.count });
      continue;
    }
    const own = order.subarray(start, end);
    const first = await halve(points, own, createRng(seed).fork(`rows ${start} to ${end}`).uint32());
    const cut = start + Math.max(size, Math.min(own.length - size, first));
    open.push([cut, end], [start, cut]);
  }
  return { samples: part.samples, members: toSamples(order, part), offsets: Uint32Array.from([0, ...ends]) };
}

/** Sorts the rows named by `own` along the line between two centers, in place. @returns how many are nearer to the first */
async function halve(points: Matrix32, own: Uint32Array, seed: number): Promise<number> {
  const { cols } = points;
  const rows: Matrix32 = { data: new Float32Array(own.length * cols), rows: own.length, cols };
  own.forEach((i, at) => {
    rows.data.set(points.data.subarray(i * cols, (i + 1) * cols), at * cols);
  });
  const { centers } = await kMeans(rows, { k: 2, seed, maxIterations: MOST_ITERATIONS });
  // All rows alike have one center: then the order is that of ties, which is random.
  const [a, b] = [centers.data.subarray(0, cols), centers.data.subarray(cols * (centers.rows - 1))];
  const along = Float64Array.from(own, (_, at) => {
    let sum = 0;
    for (let p = 0; p < cols; p++) sum += (rows.data[at * cols + p] - (a[p] + b[p]) / 2) * (b[p] - a[p]);
    return sum;
  });
  const { order, sorted } = sortedOrder('kMeansBags', along, seed);
  own.set(Uint32Array.from(order, (at) => own[at]));
  const first = sorted.findIndex((value) => value >= 0);
  return first < 0 ? own.length : first;
}

/** Columns less their means, in float32: an offset would cost it the digits that tell rows apart. */
function centred({ data, rows, cols }: Matrix64): Matrix32 {
  const means = new Float64Array(cols);
  for (let i = 0; i < data.length; i++) means[i % cols] += data[i] / rows;
  return { data: Float32Array.from(data, (x, i) => x - means[i % cols]), rows, cols };
}
