// The interpolating loss of a generalised linear model as a function of its parameters.

import type { Kernels } from '../../kernels/index.ts';
import type { AggregateIn, LossFunction } from '../losses/loss-functions.ts';
import type { AggregateData } from '../types.ts';
import { evaluateByBag } from './glm-bag-terms.ts';
import { InstanceTerms } from './glm-instance-terms.ts';

export interface GlmProblem {
  kernels: Kernels;
  data: AggregateData;
  /** Means that the loss sees, shape (bags,): clipped where it needs them so. */
  targets: Float64Array;
  /** w, shape (bags,). */
  weights: Float64Array;
  /** Bags that count. */
  bags: Uint32Array;
  loss: LossFunction;
  rho: number;
  aggregateIn: AggregateIn;
  ridge: number;
  intercept: boolean;
  /** Subtracted from the features, shape (d,). */
  center: Float64Array;
}

/** Sum over bags at one point. Parameters are (level at the centre, coefficients), shape (d + 1,). */
export interface Evaluation {
  /** Σ w [(1 − ρ) ℓ_bag + (ρ/k) Σ ℓ] + (λ/2) ‖β‖². */
  value: number;
  gradient: Float64Array;
  /** Second derivative; where bags are averaged on the scale of means, that of Fisher scoring. Row-major, when asked for. */
  hessian: Float64Array | undefined;
  /** Σ ψψᵀ over the gradients ψ of single bags, when asked for. */
  scores: Float64Array | undefined;
}

export interface EvaluationOptions {
  hessian?: boolean;
  scores?: boolean;
  signal?: AbortSignal | undefined;
}

export type Evaluator = (parameters: Float64Array, options: EvaluationOptions) => Promise<Evaluation>;

/** Evaluates one problem at many points: O(n d), with the Hessian O(n d²), with scores O(m d²) more. */
export function glmEvaluator(problem: GlmProblem): Evaluator {
  const { rho, data } = problem;
  const d = data.features.cols;
  // At ρ = 1 bags play no part but for their means, and all samples go through the kernels at once.
  const instances = rho === 1 ? new InstanceTerms(problem) : undefined;
  return async (parameters, { hessian = false, scores = false, signal }) => {
    const sums =
      instances && !scores
        ? await instances.at(parameters, hessian, signal)
        : await evaluateByBag(problem, parameters, { hessian, scores, signal });
    const { gradient, hessian: curvature } = sums;
    for (let j = 1; j <= d; j++) {
      sums.value += (problem.ridge / 2) * parameters[j] ** 2;
      gradient[j] += problem.ridge * parameters[j];
      if (curvature) curvature[j * (d + 1) + j] += problem.ridge;
    }
    if (!problem.intercept) {
      gradient[0] = 0;
      // The level stays at 0: its row and column are those of the identity.
      for (let j = 0; j <= d && curvature; j++) {
        curvature[j] = curvature[j * (d + 1)] = j === 0 ? 1 : 0;
      }
    }
    return sums;
  };
}
