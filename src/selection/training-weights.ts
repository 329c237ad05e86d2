// Weights for training on a selected sub-set: not the same question as weights for estimation.

import { requirePositive } from '../core/check.ts';
import type { WeightedSample } from './types.ts';

/**
 * - `none` (default): 1 per draw. Importance weights raise the noise of gradients; on long-tailed data they cost accuracy.
 * - `importance`: proportional to the estimation weights: the training loss estimates that of all rows.
 * - `{ clip: c }`: importance weights cut at c times their mean.
 */
export type TrainingWeighting = 'none' | 'importance' | { clip: number };

/**
 * Weights of the sample's rows for training, with mean 1.
 *
 * @returns shape (rows,)
 * @throws {InvalidArgumentError} clip ≤ 0
 */
export function trainingWeights(sample: WeightedSample, weighting: TrainingWeighting = 'none'): Float64Array {
  let weights: Float64Array;
  if (weighting === 'none') weights = Float64Array.from(sample.counts);
  else if (weighting === 'importance') weights = sample.weights.slice();
  else {
    requirePositive('trainingWeights: clip', weighting.clip);
    const limit = (weighting.clip * sum(sample.weights)) / sample.weights.length;
    weights = sample.weights.map((w) => Math.min(w, limit));
  }
  const mean = sum(weights) / weights.length;
  return weights.map((w) => w / mean);
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
