// The exact error of a linear fit given features and bags: what is lost by learning from means.

import { Matrix, SingularValueDecomposition } from 'ml-matrix';
import { type LinearSolution, type LinearSystem, rightCovariance } from './linear-system.ts';
import { toMatrix } from './symmetric-solver.ts';

/** Error of θ̂ about θ* over the noise of the responses, features and bags given. */
export interface ConditionalError {
  /** E θ̂ − θ*, shape (d,). */
  bias: Float64Array;
  /** Covariance of θ̂, shape (d, d). */
  covariance: Matrix;
  /** E‖θ̂ − θ*‖². */
  meanSquared: number;
}

/**
 * Bias and covariance of the solution for a linear truth ȳ_a = ⟨θ*, x̄_a⟩ + noise of variance σ²/k_a + v_a, independent of the bags.
 *
 * θ̂ = M⁺b with M = G + ρW + λI and E b = Gθ*, so bias = (M⁺G − I)θ* (= −M⁻¹(ρW + λI)θ* at full rank) and covariance M⁺ Cov(b) M⁺ᵀ, with
 * Cov(b) = σ² Σ (w²/k) z̄z̄ᵀ + Σ w²v z̄z̄ᵀ (derived; at ρ = 1 and k = n/m the formula of arXiv 2402.04987 for event-level least squares).
 *
 * Time O(d³).
 */
export function conditionalErrorAt(
  system: LinearSystem,
  solution: LinearSolution,
  ridge: number,
  trueCoefficients: Float64Array,
  variance: number,
): ConditionalError {
  const bias = biasOperator(system, solution, ridge).mmul(Matrix.columnVector(trueCoefficients)).to1DArray();
  const covariance = coefficientCovariance(system, solution, variance);
  return {
    bias: Float64Array.from(bias),
    covariance,
    meanSquared: bias.reduce((sum, x) => sum + x * x, 0) + covariance.trace(),
  };
}

/** M⁺ Cov(b) M⁺ᵀ, shape (d, d). */
export function coefficientCovariance(
  system: LinearSystem,
  { solver }: LinearSolution,
  variance: number,
): Matrix {
  const { sampling, noise } = rightCovariance(system);
  const inverse = solver.inverse();
  const right = toMatrix(sampling.map((s, i) => variance * s + noise[i]));
  return inverse.mmul(right).mmul(inverse.transpose());
}

/** B with E θ̂ − θ* = B θ*, shape (d, d). */
export function biasOperator(
  { between, within }: LinearSystem,
  { rho, solver }: LinearSolution,
  ridge: number,
): Matrix {
  const inverse = solver.inverse();
  const d = inverse.rows;
  if (solver.rank < d) return inverse.mmul(toMatrix(between)).sub(Matrix.eye(d, d));
  // Not M⁻¹G − I, which cancels where the bias is small.
  const penalty = toMatrix(within.map((w) => -rho * w));
  for (let j = 0; j < d; j++) penalty.set(j, j, penalty.get(j, j) - ridge);
  return inverse.mmul(penalty);
}

/** Largest singular value. */
export function spectralNorm(a: Matrix): number {
  return a.rows === 0 ? 0 : new SingularValueDecomposition(a, { autoTranspose: true }).norm2;
}
