// How many draws buy which error: Bernstein's inequality, solved both ways.

import { requireInteger, requireNumber, requirePositive, requireProbability } from '../core/check.ts';

/**
 * Draws that make |estimate − Σℓ| ≤ ε·T hold with probability ≥ 1−δ: ⌈(2 + 2ε/3)/ε² · ln(2/δ)⌉.
 *
 * Without `failureProbability` the paper's form ⌈(2 + 2ε/3)/ε²⌉, whose failure probability is only known to be below 2/e ≈ 0.74.
 *
 * @param epsilon - error as a share of T, in (0, 1)
 * @param failureProbability - δ in (0, 1)
 * @throws {InvalidArgumentError} an argument leaves its range
 *
 * Reference: arXiv 2402.17327, Theorem on (z, Λ)-well-behaved losses; the factor ln(2/δ) is Bernstein's, derived in docs/selection.md.
 */
export function sampleSize(epsilon: number, failureProbability?: number): number {
  requireProbability('sampleSize: epsilon', epsilon);
  let factor = 1;
  if (failureProbability !== undefined) {
    requireProbability('sampleSize: failureProbability', failureProbability);
    factor = Math.log(2 / failureProbability);
  }
  // A hair off before rounding up, so that a value that is an integer but for rounding is not pushed to the next.
  return Math.ceil(((2 + (2 * epsilon) / 3) / epsilon ** 2) * factor - 1e-9);
}

/**
 * The error ε that s draws buy: the solution of s·ε² = (2 + 2ε/3)·ln(2/δ). The inverse of `sampleSize`; may exceed 1.
 *
 * @throws {InvalidArgumentError} an argument leaves its range
 */
export function epsilonForSampleSize(size: number, failureProbability: number = 0.1): number {
  requireInteger('epsilonForSampleSize: size', size, 1);
  requireProbability('epsilonForSampleSize: failureProbability', failureProbability);
  return bernsteinDeviation({ draws: size, range: 1, total: 1, failureProbability });
}

export interface BernsteinInput {
  /** Number of draws s. */
  draws: number;
  /** R with u·ℓ(e) ≤ R·p(e) for every row; unit of the loss. */
  range: number;
  /** Upper bound of F = Σuℓ, e.g. R itself; unit of the loss. */
  total: number;
  /** δ. */
  failureProbability: number;
}

/**
 * Deviation that the Hansen-Hurwitz estimate of F exceeds with probability ≤ δ: t with s·t² = (2RF + 2Rt/3)·ln(2/δ).
 *
 * Each of the s terms lies in [0, R/s] and their variances sum to at most R·F/s. With F = R this is ε·R.
 */
export function bernsteinDeviation({ draws, range, total, failureProbability }: BernsteinInput): number {
  requirePositive('bernsteinDeviation: draws', draws);
  requireNumber('bernsteinDeviation: range', range, 0);
  requireNumber('bernsteinDeviation: total', total, 0);
  const log = Math.log(2 / failureProbability);
  const linear = (2 / 3) * range * log;
  return (linear + Math.sqrt(linear ** 2 + 8 * draws * range * total * log)) / (2 * draws);
}

/**
 * Draws ⌈1/(ε²δ)⌉ that make ‖Ĝ − G‖ ≤ ε·T hold with probability ≥ 1−δ for vector sums (gradients): Chebyshev's inequality.
 *
 * @throws {InvalidArgumentError} an argument leaves (0, 1)
 */
export function gradientSampleSize(epsilon: number, failureProbability: number = 0.1): number {
  requireProbability('gradientSampleSize: epsilon', epsilon);
  requireProbability('gradientSampleSize: failureProbability', failureProbability);
  return Math.ceil(1 / (epsilon ** 2 * failureProbability) - 1e-9);
}
