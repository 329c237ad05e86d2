// Sampling over shards: each sends one number, and the union is exactly an independent sample of all rows.

import { requireInteger } from '../core/check.ts';
import { drawSample } from './sampling/draw-sample.ts';

/**
 * How many of s draws each shard makes: Multinomial(s, T_shard/T).
 *
 * A shard that then makes its own Hansen-Hurwitz draws from its scores, with weights 1/(s·σ/T), completes an i.i.d. sample of the whole;
 * only totals and counts travel.
 *
 * @param totals - T of each shard, ≥ 0, shape (shards,)
 * @returns counts, shape (shards,), sum s
 */
export function shardCounts(totals: ArrayLike<number>, size: number, seed: number = 0): Uint32Array {
  requireInteger('shardCounts: size', size, 1);
  const { ids, counts } = drawSample(totals, { size, seed });
  const perShard = new Uint32Array(totals.length);
  ids.forEach((shard, j) => {
    perShard[shard] = counts[j];
  });
  return perShard;
}
