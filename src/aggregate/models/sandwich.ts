// Confidence intervals that hold whatever the variances of the bags' answers are.

import { Matrix } from 'ml-matrix';
import type { Matrix64 } from '../../core/matrix.ts';
import { type RunOptions, yieldToEventLoop } from '../../core/progress.ts';
import { type Interval, studentTQuantile } from '../../core/statistics/index.ts';
import type { AggregateData } from '../types.ts';
import { GramPanel } from './gram-panel.ts';
import type { LinearSolution, LinearSystem } from './linear-system.ts';

/** Uncertainty of a linear fit over the draw of its bags. */
export interface LinearInference {
  /** Covariance of (intercept, coefficients), shape (d + 1, d + 1). */
  covariance: Matrix64;
  /** Of the coefficients, shape (d,). */
  standardErrors: Float64Array;
  /** Of the intercept; 0 without one. */
  interceptStandardError: number;
  /** One a coefficient. */
  intervals: Interval[];
  interceptInterval: Interval;
}

/** Bags between two visits to the event loop. */
const STEP = 4096;

/**
 * Sandwich covariance A⁻¹ (Σ ψ_aψ_aᵀ) A⁻¹ · m/(m − p) of the estimating equation Σ ψ_a = λθ, with one term a bag.
 *
 * ψ_a = w_a (x̄_a r_a − ρ (1/k_a) Σ (x_i − x̄_a)(f_i − f̄_a)), r_a = ȳ_a − f̄_a, and A = G + ρW + λI: White's estimator with bags as the units (derived). Bags are
 * independent, so neither their sizes, nor unequal variances, nor privacy noise need be modelled. At ρ = λ = 0 the intervals are about θ*
 * of a linear truth; otherwise about the coefficients that the objective itself converges to, which are shrunken.
 *
 * Quantiles are Student's with m − p degrees of freedom; with none left, intervals are infinite.
 *
 * Time O(n d + m d² + d³).
 */
export async function sandwichInference(
  data: AggregateData,
  weights: Float64Array,
  { statistics, mean, intercept }: LinearSystem,
  { rho, coefficients, level, solver }: LinearSolution,
  { confidence, signal, onProgress }: { confidence: number } & RunOptions,
): Promise<LinearInference> {
  const { features, bags, means } = data;
  const { offsets, members } = bags;
  const d = coefficients.length;
  const count = weights.length;
  const { center } = statistics;
  const meat = new GramPanel(d + 1);
  const score = new Float64Array(d + 1); // of the level first
  const bagMean = new Float64Array(d);
  for (let a = 0; a < count; a++) {
    const size = offsets[a + 1] - offsets[a];
    bagMean.fill(0);
    for (let i = offsets[a]; i < offsets[a + 1]; i++) {
      for (let j = 0; j < d; j++) bagMean[j] += (features.data[members[i] * d + j] - center[j]) / size;
    }
    let prediction = level;
    for (let j = 0; j < d; j++) prediction += coefficients[j] * bagMean[j];
    const residual = means[a] - prediction;
    score[0] = residual;
    for (let j = 0; j < d; j++) score[1 + j] = (bagMean[j] - mean[j]) * residual;
    for (let i = offsets[a]; i < offsets[a + 1] && size > 1 && rho > 0; i++) {
      const start = members[i] * d;
      let deviation = 0;
      for (let j = 0; j < d; j++) {
        deviation += coefficients[j] * (features.data[start + j] - center[j] - bagMean[j]);
      }
      const share = (rho * deviation) / size;
      for (let j = 0; j < d; j++) {
        score[1 + j] -= share * (features.data[start + j] - center[j] - bagMean[j]);
      }
    }
    meat.add(score, 0, weights[a]);
    if (a % STEP === STEP - 1) {
      signal?.throwIfAborted();
      onProgress?.({ phase: 'sandwich covariance', done: a + 1, total: count });
      await yieldToEventLoop();
    }
  }

  const parameters = solver.rank + (intercept ? 1 : 0);
  const degrees = count - parameters;
  const correction = count / Math.max(1, degrees);
  const sums = meat.total();
  const bread = solver.inverse();
  // (intercept, θ) = T · (level at the mean, θ): the intercept moves against θ by the mean of the features.
  const influence = Matrix.zeros(d + 1, d + 1);
  if (intercept) influence.set(0, 0, 1 / statistics.between.weight);
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < d; j++) {
      influence.set(1 + i, 1 + j, bread.get(i, j));
      if (intercept) {
        influence.set(0, 1 + j, influence.get(0, 1 + j) - (center[i] + mean[i]) * bread.get(i, j));
      }
    }
  }
  const inner = new Matrix(d + 1, d + 1);
  for (let i = 0; i <= d; i++) {
    for (let j = 0; j <= d; j++) inner.set(i, j, correction * sums[i * (d + 1) + j]);
  }
  const covariance = influence.mmul(inner).mmul(influence.transpose());
  const errors = covariance.diagonal().map((v) => Math.sqrt(Math.max(0, v)));
  const quantile = degrees < 1 ? Infinity : studentTQuantile((1 - confidence) / 2, degrees, 'upper');
  const around = (value: number, error: number): Interval => {
    // No degree of freedom: residuals are 0 whatever the noise.
    const half = quantile === Infinity ? Infinity : quantile * error;
    return { low: value - half, high: value + half, confidence };
  };
  const at0 = intercept ? coefficients.reduce((sum, theta, j) => sum - theta * center[j], level) : 0;
  return {
    covariance: { data: Float64Array.from(covariance.to1DArray()), rows: d + 1, cols: d + 1 },
    standardErrors: Float64Array.from(errors.slice(1)),
    interceptStandardError: errors[0],
    intervals: Array.from(coefficients, (theta, j) => around(theta, errors[1 + j])),
    interceptInterval: intercept ? around(at0, errors[0]) : { low: 0, high: 0, confidence },
  };
}
