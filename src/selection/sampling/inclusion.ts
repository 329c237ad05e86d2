// Inclusion probabilities π = min(1, τp) of a given sum.

import { requireNonNegative, requireNumber } from '../../core/check.ts';
import { CompensatedSum } from '../../core/sums.ts';

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
 * @param size - expected number of rows, > 0; more than there are rows with p > 0 makes them all certain
 * @throws {InvalidArgumentError} p has a negative or non-finite entry
 *
 * Time O(n · rounds); each round makes at least one more row certain, a handful in practice.
 */
export function inclusionProbabilities(p: ArrayLike<number>, size: number): Inclusion {
  requireNonNegative('inclusionProbabilities: p', p);
  requireNumber('inclusionProbabilities: size', size, Number.MIN_VALUE);
  const n = p.length;
  const inclusion = new Float64Array(n);
  let positive = 0;
  for (let e = 0; e < n; e++) if (p[e] > 0) positive++;
  if (positive <= size) {
    for (let e = 0; e < n; e++) inclusion[e] = p[e] > 0 ? 1 : 0;
    return { inclusion, tau: Infinity, certain: positive };
  }

  let certain = 0;
  let tau = 0;
  for (;;) {
    // τ only grows from round to round (removing rows with τp ≥ 1 raises the rest's share), so certain rows stay certain.
    const rest = new CompensatedSum();
    let count = 0;
    for (let e = 0; e < n; e++) {
      if (tau > 0 && tau * p[e] >= 1) count++;
      else rest.add(p[e]);
    }
    if (tau > 0 && count === certain) break;
    certain = count;
    tau = (size - certain) / rest.value;
  }
  for (let e = 0; e < n; e++) inclusion[e] = Math.min(1, tau * p[e]);
  return { inclusion, tau, certain };
}
