// Inclusion probabilities π = min(1, τp) of a given sum.

import { requireNumber } from '../../core/check.ts';
import { CompensatedSum } from '../../core/sums.ts';
import { BLOCK, sumBlocks } from './masses.ts';

export interface Inclusion {
  /** π, shape (n,); Σπ = min(size, rows with p > 0). */
  inclusion: Float64Array;
  /** The multiplier τ ≥ size/Σp; Infinity when every row is certain. */
  tau: number;
  /** Rows with π = 1. */
  certain: number;
}

/**
 * Scales p to inclusion probabilities that sum to `size`: rows with τp ≥ 1 become certain, the rest is rescaled, until nothing changes.
 *
 * @param p - shape (n,), ≥ 0, need not sum to 1
 * @param size - expected number of rows, > 0; as many as there are rows with p > 0, or more, makes them all certain
 * @throws {InvalidArgumentError} p has a negative or non-finite entry
 *
 * Time O(n · rounds); each round makes at least one more row certain, a handful in practice.
 */
export function inclusionProbabilities(p: ArrayLike<number>, size: number): Inclusion {
  requireNumber('inclusionProbabilities: size', size, Number.MIN_VALUE);
  const values = p instanceof Float64Array ? p : Float64Array.from(p);
  const { total, positive } = sumBlocks('inclusionProbabilities: p', values);
  const inclusion = new Float64Array(values.length);
  if (positive <= size) {
    for (let e = 0; e < values.length; e++) inclusion[e] = values[e] > 0 ? 1 : 0;
    return { inclusion, tau: Infinity, certain: positive };
  }

  // τ only grows from round to round (taking rows with τp ≥ 1 out raises the rest's share), so certain rows stay certain.
  let tau = size / total;
  let certain = 0;
  for (;;) {
    const { mass, count } = massBelow(values, 1 / tau);
    if (count <= certain) break;
    certain = count;
    // The rows left weigh nothing against the certain ones, but for rounding: they keep a chance of about 0.
    if (count >= size) break;
    tau = (size - certain) / mass;
  }
  for (let e = 0; e < values.length; e++) inclusion[e] = Math.min(1, tau * values[e]);
  return { inclusion, tau, certain };
}

/** Σ of the entries below `limit`, and how many reach it. */
function massBelow(values: Float64Array, limit: number): { mass: number; count: number } {
  const mass = new CompensatedSum();
  let count = 0;
  for (let start = 0; start < values.length; start += BLOCK) {
    const end = Math.min(values.length, start + BLOCK);
    let sum = 0;
    for (let e = start; e < end; e++) {
      if (values[e] >= limit) count++;
      else sum += values[e];
    }
    mass.add(sum);
  }
  return { mass: mass.value, count };
}
