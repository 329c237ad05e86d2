// How much each bag counts.

import { requireLength, requireNonNegative, requireNumber, requireOneOf } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import type { Bags } from '../bags/bags.ts';

/** size: by its samples · bag: all bags alike · precision: by 1 / variance of its answer. */
export const WEIGHTINGS = ['size', 'bag', 'precision'] as const;
export type Weighting = (typeof WEIGHTINGS)[number];

export interface WeightingOptions {
  /**
   * Weight w_a of bag a, and w_a / k_a of each of its samples. Default `size`: w_a = k_a, every sample alike. `bag`: every bag alike.
   * `precision`: w_a ∝ 1 / (σ²/k_a + v_a), v_a the noise variance of its mean. Scaled so that Σ w_a = number of samples in bags.
   */
  weighting?: Weighting | undefined;
  /** Variance σ² > 0 of a single response about its mean, which `precision` needs. */
  residualVariance?: number | undefined;
  /** Variance v_a ≥ 0 of the privacy noise in each mean, shape (bags,). Default: none. */
  noiseVariance?: Float64Array | undefined;
}

/**
 * Weight of each bag, shape (bags,), with sum = number of samples in bags.
 *
 * One weight serves both losses, w_a at the bag level and w_a / k_a for each sample of it, so that L_ins = L_bag + R stays exact under every
 * weighting (arXiv 2401.11081 for equal bags; unequal ones derived).
 *
 * @throws {InvalidArgumentError} `precision` without a variance, or with one that is not > 0 in some bag
 */
export function bagWeights(
  name: string,
  { offsets, members }: Bags,
  { weighting = 'size', residualVariance, noiseVariance }: WeightingOptions = {},
): Float64Array {
  requireOneOf(`${name}: weighting`, weighting, WEIGHTINGS);
  const bags = offsets.length - 1;
  if (residualVariance !== undefined) requireNumber(`${name}: residualVariance`, residualVariance, 0);
  if (noiseVariance) {
    requireLength(`${name}: noiseVariance`, noiseVariance, bags);
    requireNonNegative(`${name}: noiseVariance`, noiseVariance);
  }
  const weights = new Float64Array(bags);
  // Without privacy noise the variance is σ²/k_a, whatever σ² is: the sizes, exactly.
  const bySize = weighting === 'size' || (weighting === 'precision' && !noiseVariance);
  for (let a = 0; a < bags && bySize; a++) weights[a] = offsets[a + 1] - offsets[a];
  if (bySize) return weights;
  if (weighting === 'bag') return weights.fill(members.length / bags);
  if (residualVariance === undefined) {
    throw new InvalidArgumentError(
      `${name}: weighting is "precision" without residualVariance; expected the variance of a single response. Pass an estimate, or weight by size.`,
    );
  }
  let total = 0;
  for (let a = 0; a < bags; a++) {
    const variance = residualVariance / (offsets[a + 1] - offsets[a]) + (noiseVariance?.[a] ?? 0);
    if (!(variance > 0)) {
      throw new InvalidArgumentError(
        `${name}: the answer of bag ${a} has variance ${variance}; expected > 0 for weighting "precision". Pass a residualVariance > 0.`,
      );
    }
    weights[a] = 1 / variance;
    total += weights[a];
  }
  const scale = members.length / total;
  return weights.map((w) => w * scale);
}
