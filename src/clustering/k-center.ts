// k-center by farthest-first traversal: the smallest radius, within a factor of two.

import { requireInteger, requireSeed } from '../core/check.ts';
import type { Matrix32, RowSource } from '../core/matrix.ts';
import type { RunOptions } from '../core/progress.ts';
import { createRng } from '../core/rng.ts';
import { loadKernels } from '../kernels/index.ts';
import { measureMoments } from './moments.ts';
import { Rows } from './rows.ts';
import { SeedPotential } from './seeding/potential.ts';

export interface KCenterOptions extends RunOptions {
  /** Centers wanted, ≥ 1. */
  k: number;
  /** Row id of the first center. Default: drawn by `seed`. */
  first?: number;
  /** Default 0. */
  seed?: number;
}

export interface KCenterResult {
  /** Row ids of the centers in the order they were chosen, shape (k',); k' < k when there are no more distinct rows. */
  indices: Uint32Array;
  /** Largest distance (not squared) of a row to its nearest center: at most twice the least possible with as many centers. */
  radius: number;
  /** Index into `indices` of the nearest center, ties to the earliest, shape (n,). */
  labels: Uint32Array;
  /** Squared distance to it, shape (n,). */
  distances: Float64Array;
  /** Squared distance of each center to those chosen before it, Infinity of the first, shape (k',). */
  gaps: Float64Array;
  /** Index into `indices` of the center at that distance, ties to the earliest, 0 of the first, shape (k',). */
  gapCenters: Uint32Array;
}

/**
 * Rows looked at between two passes: those farthest from the centers, of which the next ones will be. Few make a center cheap, many make passes
 * rare: where a pass takes little, few are better.
 */
function frontRows(rows: number): number {
  return Math.min(4096, Math.max(256, Math.ceil(rows / 32)));
}

/**
 * Chooses the row farthest from the centers so far, k − 1 times (ties to the lowest id).
 *
 * The textbook makes one pass per center. As distances only fall, the farthest row is among the few hundred that were
 * farthest at the last pass, for as long as one of these is farther than all others were then; a pass is made only when that ends.
 *
 * @param points - shape (n, d), n ≥ 1
 * @throws {InvalidArgumentError} an option leaves its range, or a row is NaN or infinite (naming it)
 *
 * Time O(n k d). Source: Gonzalez 1985 (the factor 2, which is the best possible unless P = NP).
 */
export async function kCenterGreedy(
  points: Matrix32 | RowSource,
  { k, first, seed = 0, signal, onProgress }: KCenterOptions,
): Promise<KCenterResult> {
  requireInteger('kCenterGreedy: k', k, 1);
  requireSeed('kCenterGreedy: seed', seed);
  requireInteger('kCenterGreedy: points.rows', points.rows, 1);
  if (first !== undefined) requireInteger('kCenterGreedy: first', first, 0, points.rows - 1);
  const rows = new Rows('kCenterGreedy: points', points, { signal });
  const kernels = await loadKernels();
  const { origin } = await measureMoments(rows, kernels, undefined);
  const potential = new SeedPotential({ rows, kernels, weights: undefined, power: 2, origin });
  const indices = [first ?? createRng(seed).fork('first').integer(rows.rows)];
  const [gaps, gapCenters] = [[Infinity], [0]];
  await potential.add((await rows.take(indices)).data);
  const { cols } = rows;
  while (indices.length < k) {
    const { ids, rest } = farthestRows(potential.distances, frontRows(rows.rows));
    const front = await rows.take(ids);
    const distances = Float64Array.from(ids, (id) => potential.distances[id]);
    const nearest = Uint32Array.from(ids, (id) => potential.nearest[id]);
    const labels = new Uint32Array(ids.length);
    const found = new Float64Array(ids.length);
    const added: number[] = [];
    while (indices.length < k) {
      signal?.throwIfAborted();
      let farthest = 0;
      for (let i = 1; i < ids.length; i++) if (distances[i] > distances[farthest]) farthest = i;
      // At a tie with the rest, which may hold a lower id, a new front decides.
      const certain = distances[farthest] > rest || (added.length === 0 && distances[farthest] === rest);
      if (!certain || distances[farthest] === 0) break;
      const center = front.data.slice(farthest * cols, (farthest + 1) * cols);
      const newest = indices.push(ids[farthest]) - 1;
      gaps.push(distances[farthest]);
      gapCenters.push(nearest[farthest]);
      added.push(farthest);
      await kernels.nearest({
        points: front.data,
        rows: ids.length,
        dim: cols,
        centers: center,
        centerCount: 1,
        origin,
        labels,
        distances: found,
      });
      for (let i = 0; i < ids.length; i++)
        if (found[i] < distances[i]) {
          distances[i] = found[i];
          nearest[i] = newest;
        }
      onProgress?.({ phase: 'k-center', done: indices.length, total: k });
    }
    if (added.length === 0) break; // every row is a center
    const centers = new Float32Array(added.length * cols);
    added.forEach((i, j) => {
      centers.set(front.data.subarray(i * cols, (i + 1) * cols), j * cols);
    });
    await potential.add(centers);
  }
  const { distances, nearest: labels } = potential;
  return {
    indices: Uint32Array.from(indices),
    radius: Math.sqrt(distances.reduce((most, distance) => Math.max(most, distance), 0)),
    labels,
    distances,
    gaps: Float64Array.from(gaps),
    gapCenters: Uint32Array.from(gapCenters),
  };
}

/** The `count` rows of largest distance (ties to the lowest id), by id; and the largest distance of the others. */
function farthestRows(distances: Float64Array, count: number): { ids: Uint32Array; rest: number } {
  const n = distances.length;
  if (n <= count) return { ids: Uint32Array.from({ length: n }, (_, i) => i), rest: -1 };
  const rest = distances.slice().sort()[n - 1 - count];
  const ids: number[] = [];
  for (let i = 0; i < n; i++) if (distances[i] > rest) ids.push(i);
  for (let i = 0; i < n && ids.length < count; i++) if (distances[i] === rest) ids.push(i);
  return { ids: Uint32Array.from(ids).sort(), rest };
}
