// A fit of a generalised linear model as a problem, and what is known of its objective at a point.

import type { Kernels } from '../../kernels/index.ts';
import type { AggregateIn, LossFunction } from '../losses/loss-functions.ts';
import type { AggregateData } from '../types.ts';

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
