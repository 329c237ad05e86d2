// Quantiles of the studentised mean by resampling: intervals that follow the skew of small samples.

import { createRng } from '../../core/rng.ts';

const RESAMPLES = 1999; // (RESAMPLES + 1)·tail is an integer for the usual tails

/**
 * Quantiles of (mean* − mean)/se* over resamples of the terms (bootstrap-t).
 *
 * @param tail - probability beyond either quantile
 * @returns [tail quantile, 1−tail quantile]; [0, 0] when all terms are equal
 *
 * Time O(1999 · terms).
 */
export function bootstrapQuantiles(terms: Float64Array, tail: number, seed: number): [number, number] {
  const n = terms.length;
  const rng = createRng(seed).fork('bootstrap');
  const mean = terms.reduce((sum, x) => sum + x, 0) / n;
  const studentised: number[] = [];
  for (let b = 0; b < RESAMPLES; b++) {
    let sum = 0;
    let squares = 0;
    for (let j = 0; j < n; j++) {
      const deviation = terms[rng.integer(n)] - mean;
      sum += deviation;
      squares += deviation * deviation;
    }
    const variance = (squares - (sum * sum) / n) / (n - 1) / n;
    if (variance > 0) studentised.push(sum / n / Math.sqrt(variance));
  }
  if (studentised.length === 0) return [0, 0];
  const sorted = Float64Array.from(studentised).sort();
  const at = (q: number): number => {
    const index = Math.round(q * (sorted.length + 1)) - 1;
    return sorted[Math.min(sorted.length - 1, Math.max(0, index))];
  };
  return [at(tail), at(1 - tail)];
}
