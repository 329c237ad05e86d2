// The variance of single responses, estimated from the answers of bags, without what privacy noise added to them.

import { chiSquareQuantile } from '../../core/statistics/index.ts';
import {
  bagResidualSquares,
  frobeniusProduct,
  type LinearSolution,
  type LinearSystem,
  rightCovariance,
} from './linear-system.ts';

export interface ResidualVariance {
  /** σ̂² ≥ 0, in squared units of the response. */
  estimate: number;
  /** Degrees of freedom of the bag residuals, m − rank − 1. */
  degrees: number;
  /** What σ² exceeds with probability at most δ, when noise is Gaussian. */
  upperLimit(failureProbability: number): number;
}

/**
 * σ² with E[Σ w·r²] = σ²·A + N, r the residuals of the bag-level fit: A counts each bag's share of single noise, N its privacy noise.
 *
 * A = Σ w/k − tr(G⁺S) − (weight of S)/Σw with S = Σ (w²/k) z̄z̄ᵀ, and N the same with w²v (derived; under size weights A = m − rank − 1).
 *
 * @param bagLevel - solution at ρ = 0 without a ridge
 * @returns undefined when the bags leave no degree of freedom
 */
export function residualVariance(
  system: LinearSystem,
  bagLevel: LinearSolution,
): ResidualVariance | undefined {
  const { statistics, intercept } = system;
  const { between, sampling, noise, samplingWeight, noiseWeight, bags } = statistics;
  const degrees = bags - bagLevel.solver.rank - (intercept ? 1 : 0);
  if (degrees < 1) return undefined;
  const inverse = bagLevel.solver.inverse();
  const covariance = rightCovariance(system);
  const unit =
    samplingWeight -
    frobeniusProduct(inverse, covariance.sampling) -
    (intercept ? sampling.weight / between.weight : 0);
  const added =
    noiseWeight -
    frobeniusProduct(inverse, covariance.noise) -
    (intercept ? noise.weight / between.weight : 0);
  if (!(unit > 0)) return undefined;
  const squares = bagResidualSquares(system, bagLevel.coefficients);
  return {
    estimate: Math.max(0, (squares - added) / unit),
    degrees,
    upperLimit: (failureProbability) =>
      Math.max(0, ((squares * degrees) / chiSquareQuantile(failureProbability, degrees) - added) / unit),
  };
}
