// From the weights of a sample to the weights of a training loss: three legal choices, never mixed.

import { requireNonNegative, requireOneOf, requirePositive } from '../core/check.ts';
import { InvalidArgumentError } from '../core/errors.ts';

const WEIGHTINGS = ['none', 'importance', 'clipped'] as const;

/** none: all rows alike · importance: as given, an unbiased loss · clipped: capped at `clip` times their mean, less noise for some bias. */
export type Weighting = (typeof WEIGHTINGS)[number];

export interface TrainingWeightsOptions {
  /**
   * Default none: weights keep an *estimate* unbiased, but in training they add gradient noise; measured on a long-tailed
   * pool they cost 2–5 points of accuracy (spec 03, §4, X2b).
   */
  weighting?: Weighting;
  /** Cap for `clipped`, in multiples of the mean weight, > 0. Default 5. */
  clip?: number;
}

/**
 * Weights to train with, scaled to mean 1, so that the learning rate keeps its meaning.
 *
 * @param weights - shape (n,), ≥ 0, e.g. 1/π of a sample
 * @returns shape (n,), mean 1
 * @throws {InvalidArgumentError} a weight is negative or not finite, all are 0, or an option leaves its range
 */
export function trainingWeights(
  weights: ArrayLike<number>,
  { weighting = 'none', clip = 5 }: TrainingWeightsOptions = {},
): Float64Array {
  requireOneOf('trainingWeights: weighting', weighting, WEIGHTINGS);
  requirePositive('trainingWeights: clip', clip);
  requireNonNegative('trainingWeights: weights', weights);
  if (weighting === 'none') return new Float64Array(weights.length).fill(1);
  const scaled = meanOne(Float64Array.from(weights));
  return weighting === 'importance' ? scaled : meanOne(scaled.map((weight) => Math.min(weight, clip)));
}

function meanOne(weights: Float64Array): Float64Array {
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
  if (weights.length > 0 && !(mean > 0)) {
    throw new InvalidArgumentError('trainingWeights: all weights are 0; expected at least one > 0.');
  }
  return weights.map((weight) => weight / mean);
}
