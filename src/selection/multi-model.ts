// One sample good for the losses of several models.

import { requireInteger, requireLength, requireNonNegative, requireOneOf } from '../core/check.ts';
import { CompensatedSum } from '../core/sums.ts';

/**
 * Combines the scores of several models into one score per row.
 *
 * Each model's scores are first divided by their total, so that a model with large losses does not rule. With `max` every model m has
 * p ≥ σ_m/(T_m·Σmax) and its bound grows by at most Σmax ≤ number of models; `sum` gives the average of their probabilities.
 *
 * @param scores - σ of each model, each of shape (n,)
 * @returns combined scores, dimensionless, shape (n,)
 * @throws {ShapeError} lengths differ @throws {InvalidArgumentError} no model, or a score is negative
 */
export function combineScores(scores: ArrayLike<number>[], combine: 'max' | 'sum' = 'max'): Float64Array {
  requireInteger('combineScores: scores.length', scores.length, 1);
  requireOneOf('combineScores: combine', combine, ['max', 'sum']);
  const combined = new Float64Array(scores[0].length);
  scores.forEach((values, m) => {
    requireLength(`combineScores: scores[${m}]`, values, combined.length);
    requireNonNegative(`combineScores: scores[${m}]`, values);
    const total = new CompensatedSum();
    for (let e = 0; e < values.length; e++) total.add(values[e]);
    if (total.value === 0) return;
    for (let e = 0; e < values.length; e++) {
      const share = values[e] / total.value;
      combined[e] = combine === 'max' ? Math.max(combined[e], share) : combined[e] + share;
    }
  });
  return combined;
}
