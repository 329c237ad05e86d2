// Variance of a weighted sum, estimated from the sample itself, by the formula of the scheme that drew it.

import { CompensatedSum } from '../../core/sums.ts';
import type { WeightedSample } from '../types.ts';

/**
 * Estimated variance of Σwf.
 *
 * - `hansen-hurwitz`: s/(s−1)·Σ(w f − mean)² over draws; unbiased.
 * - `poisson`, `gumbel`: Σ(1−π)(w f)²; unbiased (for gumbel the covariances given the threshold are 0).
 * - `fixed-size`: Σc(w f − A)² with c = (1−π)·s/(s−1), A = Σc·wf/Σc; Deville's approximation for designs of high entropy.
 *
 * @param weights - the sample's, possibly clipped
 * @param values - f of each row, shape (rows,)
 */
export function designVariance(
  sample: WeightedSample,
  weights: Float64Array,
  values: ArrayLike<number>,
): number {
  const { scheme, counts, inclusion, draws } = sample;
  const sum = new CompensatedSum();
  if (scheme === 'hansen-hurwitz') {
    const total = new CompensatedSum();
    for (let j = 0; j < weights.length; j++) total.add(weights[j] * values[j]);
    const mean = total.value / draws;
    for (let j = 0; j < weights.length; j++)
      sum.add(counts[j] * ((weights[j] * values[j]) / counts[j] - mean) ** 2);
    return (sum.value * draws) / (draws - 1);
  }
  if (scheme === 'fixed-size') {
    let mass = 0;
    let center = 0;
    for (let j = 0; j < weights.length; j++) {
      mass += 1 - inclusion[j];
      center += (1 - inclusion[j]) * weights[j] * values[j];
    }
    if (!(mass > 0)) return 0;
    center /= mass;
    for (let j = 0; j < weights.length; j++)
      sum.add((1 - inclusion[j]) * (weights[j] * values[j] - center) ** 2);
    return (sum.value * draws) / (draws - 1);
  }
  for (let j = 0; j < weights.length; j++) sum.add((1 - inclusion[j]) * (weights[j] * values[j]) ** 2);
  return sum.value;
}

/** w·f of every single draw, shape (draws,): what a bootstrap resamples. */
export function drawTerms(
  { counts }: WeightedSample,
  weights: Float64Array,
  values: ArrayLike<number>,
): Float64Array {
  const terms: number[] = [];
  for (let j = 0; j < weights.length; j++) {
    for (let c = 0; c < counts[j]; c++) terms.push((weights[j] * values[j]) / counts[j]);
  }
  return Float64Array.from(terms);
}
