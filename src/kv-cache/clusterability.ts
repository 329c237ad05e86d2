// Whether keys cluster: what decides if a bounded cache can do without most of them.

import { DeltaClusters, kCenterGreedy } from '../clustering/index.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import { type Matrix32, requireFiniteMatrix, requireMatrix, takeRows } from '../core/matrix.ts';
import type { RunOptions } from '../core/progress.ts';
import { directDistance } from '../kernels/index.ts';
import { type LossCurve, requireAscending } from './allocate-budgets.ts';

export interface ClusterCount {
  /** δ: keys within this distance of a cluster's first key join it. */
  delta: number;
  /** m(δ): clusters of the stream. */
  clusters: number;
  /** m(δ) / n: near 1, nothing can be saved at this δ. */
  share: number;
}

/**
 * m(δ) of a stream of keys, for each δ: at most the least number of sets of diameter δ that hold all keys, and what SubGen's memory grows with.
 *
 * Whether keys are looked at before or after rotary embedding is the caller's choice: caches hold rotated ones.
 *
 * @param keys - of one key head, in order, shape (n, d) @param deltas - each ≥ 0
 * @throws {ShapeError} {InvalidArgumentError} keys are no matrix, or not finite, or a δ is negative
 *
 * Time O(n m d) a δ. Source: arXiv 2402.06082, the clusterability assumption.
 */
export async function clusterability(
  keys: Matrix32,
  deltas: readonly number[],
  { signal, onProgress }: RunOptions = {},
): Promise<ClusterCount[]> {
  requireMatrix('clusterability: keys', keys);
  requireFiniteMatrix('clusterability: keys', keys);
  for (const [i, delta] of deltas.entries())
    if (!(delta >= 0))
      throw new InvalidArgumentError(`clusterability: deltas[${i}] is ${delta}; expected a number ≥ 0.`);
  const counts: ClusterCount[] = [];
  for (const [i, delta] of deltas.entries()) {
    onProgress?.({ phase: 'm(δ)', done: i, total: deltas.length });
    const clusters = new DeltaClusters({ dim: keys.cols, delta });
    await clusters.addAll(keys, { signal });
    counts.push({ delta, clusters: clusters.size, share: keys.rows === 0 ? 0 : clusters.size / keys.rows });
  }
  return counts;
}

/**
 * How far the keys of a head are from so many centers: Σ‖k − nearest‖² of farthest-first centers. To second order in the logits, what merging costs.
 *
 * @param keys - of one key head, shape (n, d), n ≥ 1 @param budgets - ascending, ≥ 1
 *
 * Time O(n d max budgets).
 */
export async function centerLossCurve(
  keys: Matrix32,
  budgets: readonly number[],
  { signal }: RunOptions = {},
): Promise<LossCurve> {
  requireAscending('centerLossCurve: budgets', budgets);
  const { indices } = await kCenterGreedy(keys, { k: budgets[budgets.length - 1], first: 0, signal });
  const { cols } = keys;
  const centers = takeRows(keys, indices);
  const nearest = new Float64Array(keys.rows).fill(Infinity);
  const losses: number[] = [];
  let done = 0;
  for (const budget of budgets) {
    for (; done < Math.min(budget, centers.rows); done++)
      for (let i = 0; i < keys.rows; i++)
        nearest[i] = Math.min(
          nearest[i],
          directDistance(keys.data, i * cols, centers.data, done * cols, cols),
        );
    signal?.throwIfAborted();
    losses.push(nearest.reduce((sum, x) => sum + x, 0));
  }
  return { budgets, losses };
}
