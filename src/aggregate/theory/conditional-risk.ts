// The exact risk of given bags of given samples: what theory promises on average, for the table at hand.

import {
  requireFinite,
  requireInteger,
  requireLength,
  requireNonNegative,
  requireNumber,
} from '../../core/check.ts';
import { NumericalError } from '../../core/errors.ts';
import { type Matrix64, requireFiniteMatrix, requireMatrix } from '../../core/matrix.ts';
import { type Bags, bagCount, requireBags } from '../bags/bags.ts';
import { symmetricSolver } from '../models/symmetric-solver.ts';

export interface ConditionalRiskOptions {
  /** Variance σ² ≥ 0 of each response about its mean, independent between samples. */
  noise: number;
  /** ρ ≥ 0 of the loss. Default 1: the instance-level loss, each sample labelled with its bag's mean. */
  rho?: number | undefined;
  /** Variance of the privacy noise in each bag's mean, shape (bags,), ≥ 0. Default: none. */
  noiseVariance?: Float64Array | undefined;
}

export interface ConditionalRisk {
  /** E[‖θ̂ − θ‖² | features, bags]. */
  risk: number;
  squaredBias: number;
  variance: number;
  /** Σ_a Σ_{i∈a} (μ_i − μ̄_a)² of the true means μ = Xθ. */
  withinBagSquares: number;
}

/**
 * Expected squared error of the linear fit without intercept, over the responses alone: features and bags are fixed.
 *
 * At ρ = 1: ‖X⁺(I − P)Xθ‖² + σ²‖X⁺P‖_F², P averaging over bags. In general, with M = G + ρW:
 * ‖M⁻¹ρWθ‖² + Σ_a (σ²/k_a + v_a) ‖M⁻¹ k_a x̄_a‖². Bags must not have been chosen by the responses they answer.
 *
 * @param features - X, shape (n, d); samples in no bag play no part
 * @param theta - true coefficients, shape (d,)
 * @throws {ShapeError} {InvalidArgumentError} arguments do not fit or leave their range
 * @throws {NumericalError} the fit is not unique: columns are dependent, or ρ = 0 with fewer bags than columns
 *
 * Time O(n d² + d³ + bags · d²), memory O(d²). Source: derived from arXiv 2402.04987's setting of linear models.
 */
export function conditionalRisk(
  features: Matrix64,
  bags: Bags,
  theta: ArrayLike<number>,
  { noise, rho = 1, noiseVariance }: ConditionalRiskOptions,
): ConditionalRisk {
  requireMatrix('conditionalRisk: features', features);
  requireFiniteMatrix('conditionalRisk: features', features);
  requireBags('conditionalRisk: bags', bags);
  const d = features.cols;
  requireInteger('conditionalRisk: features.rows', features.rows, bags.samples, bags.samples);
  requireLength('conditionalRisk: theta', theta, d);
  requireFinite('conditionalRisk: theta', theta);
  requireNumber('conditionalRisk: noise', noise, 0);
  requireNumber('conditionalRisk: rho', rho, 0);
  if (noiseVariance) {
    requireLength('conditionalRisk: noiseVariance', noiseVariance, bagCount(bags));
    requireNonNegative('conditionalRisk: noiseVariance', noiseVariance);
  }

  const { sums, between, within } = scatter(features, bags);
  const lost = new Float64Array(d);
  let withinBagSquares = 0;
  const matrix = between;
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < d; j++) {
      const penalty = rho * within[i * d + j];
      matrix[i * d + j] += penalty;
      lost[i] -= penalty * theta[j];
      withinBagSquares += theta[i] * within[i * d + j] * theta[j];
    }
  }
  const solver = symmetricSolver(matrix);
  if (solver.rank < d) {
    throw new NumericalError(
      `conditionalRisk: no fit of ${d} columns to ${bagCount(bags)} bags with ρ = ${rho} is unique. Drop dependent columns, or take ρ > 0.`,
    );
  }
  const squaredBias = squaredNorm(solver.solve(lost));
  let variance = 0;
  for (let a = 0; a < bagCount(bags); a++) {
    const size = bags.offsets[a + 1] - bags.offsets[a];
    const weight = solver.solve(sums.subarray(a * d, (a + 1) * d));
    variance += (noise / size + (noiseVariance?.[a] ?? 0)) * squaredNorm(weight);
  }
  return { risk: squaredBias + variance, squaredBias, variance, withinBagSquares };
}

/** k_a x̄_a of each bag, shape (bags, d); G and W, shape (d, d). W from deviations, so that a common offset costs no digits. */
function scatter({ data, cols: d }: Matrix64, { members, offsets }: Bags) {
  const bags = offsets.length - 1;
  const sums = new Float64Array(bags * d);
  const between = new Float64Array(d * d);
  const within = new Float64Array(d * d);
  const mean = new Float64Array(d);
  for (let a = 0; a < bags; a++) {
    const size = offsets[a + 1] - offsets[a];
    for (let i = offsets[a]; i < offsets[a + 1]; i++) {
      for (let j = 0; j < d; j++) sums[a * d + j] += data[members[i] * d + j];
    }
    for (let j = 0; j < d; j++) mean[j] = sums[a * d + j] / size;
    for (let j = 0; j < d; j++) {
      for (let l = 0; l < d; l++) between[j * d + l] += size * mean[j] * mean[l];
    }
    for (let i = offsets[a]; i < offsets[a + 1]; i++) {
      const row = members[i] * d;
      for (let j = 0; j < d; j++) {
        const deviation = data[row + j] - mean[j];
        for (let l = 0; l < d; l++) within[j * d + l] += deviation * (data[row + l] - mean[l]);
      }
    }
  }
  return { sums, between, within };
}

function squaredNorm(vector: Float64Array): number {
  return vector.reduce((sum, value) => sum + value * value, 0);
}
