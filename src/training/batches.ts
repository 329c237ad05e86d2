// Which rows make up which step: shuffled every epoch, every batch of one shape.

import { requireInteger } from '../core/check.ts';
import { type Rng, shuffle } from '../core/rng.ts';

/** Rows of one step. */
export interface Batch {
  /** Row numbers, always `size` of them; those from `count` on only fill up and must get weight 0. */
  ids: Uint32Array;
  /** Rows that count, 1 ≤ count ≤ ids.length. */
  count: number;
}

/** Steps that one pass over `rows` rows takes. */
export function batchesPerEpoch(rows: number, size: number): number {
  return Math.ceil(rows / size);
}

/**
 * Splits one shuffled pass over `rows` rows into batches of `size`; the last one is filled up with row 0.
 *
 * @param rng - stream of this epoch: `rng.fork(epoch)`
 * @throws {InvalidArgumentError} rows or size < 1
 */
export function shuffledBatches(rows: number, size: number, rng: Rng): Batch[] {
  requireInteger('shuffledBatches: rows', rows, 1);
  requireInteger('shuffledBatches: size', size, 1);
  const order = shuffle(
    Uint32Array.from({ length: rows }, (_, i) => i),
    rng,
  );
  return Array.from({ length: batchesPerEpoch(rows, size) }, (_, b) => {
    const ids = new Uint32Array(size);
    const real = order.subarray(b * size, (b + 1) * size);
    ids.set(real);
    return { ids, count: real.length };
  });
}
