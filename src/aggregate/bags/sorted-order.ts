// The order of values with ties in random order: files are often sorted by label, and that order must not reach the bags.

import { requireFinite, requireSeed } from '../../core/check.ts';
import { createRng } from '../../core/rng.ts';
import { argsort } from '../../kernels/index.ts';

export interface SortedOrder {
  /** Positions in ascending order of their values, shape (n,). */
  order: Uint32Array;
  /** The values in that order, shape (n,). */
  sorted: Float64Array;
}

/**
 * @param where - public function, for messages
 * @throws {InvalidArgumentError} a value is not finite. O(n)
 */
export function sortedOrder(where: string, values: Float64Array, seed: number): SortedOrder {
  requireFinite(`${where}: values`, values);
  requireSeed(`${where}: seed`, seed);
  const order = new Uint32Array(values.length);
  const sorted = new Float64Array(values.length);
  argsort(values, order, sorted);
  for (const _ of tieShuffles(order, sorted, seed));
  return { order, sorted };
}

/** Draws between two halts: about 30 ms. */
const DRAWS_PER_HALT = 1 << 18;

/**
 * Puts each run of equal values into a uniformly random order, in place: the same distribution as a shuffle before a stable sort, at no
 * cost where there are no ties. Halts now and then, for callers who let the event loop run in between.
 */
export function* tieShuffles(
  order: Uint32Array,
  sorted: Float64Array,
  seed: number,
): Generator<undefined, void> {
  const rng = createRng(seed).fork('ties');
  let draws = 0;
  for (let start = 0; start < sorted.length; ) {
    let end = start + 1;
    while (end < sorted.length && sorted[end] === sorted[start]) end++;
    // Fisher-Yates within the run.
    for (let i = end - 1; i > start; i--) {
      const j = start + rng.integer(i - start + 1);
      const kept = order[i];
      order[i] = order[j];
      order[j] = kept;
      if (++draws % DRAWS_PER_HALT === 0) yield;
    }
    start = end;
  }
}
