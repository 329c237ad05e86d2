// Confidence intervals that hold whatever the variances of the bags' answers are.

import { Matrix } from 'ml-matrix';
import type { Matrix64 } from '../../core/matrix.ts';
import { type Interval, studentTQuantile } from '../../core/statistics/index.ts';

/** Uncertainty of a fit over the draw of its bags. */
export interface SandwichInference {
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

export interface SandwichInput {
  /** A⁻¹ for parameters (level at `point`, coefficients), shape (d + 1, d + 1). */
  bread: Matrix;
  /** Σ ψψᵀ over the estimating functions of bags, row-major, same shape. */
  meat: Float64Array;
  /** Features at which `level` is the fit on the link scale, shape (d,). */
  point: Float64Array;
  level: number;
  coefficients: Float64Array;
  intercept: boolean;
  bags: number;
  /** Parameters that the data determine. */
  parameters: number;
  confidence: number;
}

/**
 * A⁻¹ (Σ ψψᵀ) A⁻¹ᵀ · m/(m − p): White's estimator with bags as the units. Bags are independent, so neither their sizes, nor unequal variances, nor privacy noise
 * need be modelled. Quantiles are Student's with m − p degrees of freedom; with none left, intervals are infinite.
 *
 * Time O(d³).
 */
export function sandwich({
  bread,
  meat,
  point,
  level,
  coefficients,
  intercept,
  bags,
  parameters,
  confidence,
}: SandwichInput): SandwichInference {
  const width = coefficients.length + 1;
  const degrees = bags - parameters;
  const correction = bags / Math.max(1, degrees);
  // intercept = level − ⟨point, coefficients⟩; without one, the level is no parameter.
  const influence = bread.clone();
  for (let j = 0; j < width; j++) {
    if (!intercept) influence.set(0, j, 0);
    for (let i = 0; i + 1 < width && intercept; i++) {
      influence.set(0, j, influence.get(0, j) - point[i] * bread.get(1 + i, j));
    }
  }
  const inner = Matrix.zeros(width, width);
  for (let i = 0; i < width; i++) {
    for (let j = 0; j < width; j++) inner.set(i, j, correction * meat[i * width + j]);
  }
  const covariance = influence.mmul(inner).mmul(influence.transpose());
  const errors = covariance.diagonal().map((v) => Math.sqrt(Math.max(0, v)));
  const around = (value: number, error: number): Interval => {
    // With no degree of freedom residuals are 0 whatever the noise.
    const half = degrees < 1 ? Infinity : studentTQuantile((1 - confidence) / 2, degrees, 'upper') * error;
    return { low: value - half, high: value + half, confidence };
  };
  const atZero = coefficients.reduce((sum, theta, j) => sum - theta * point[j], level);
  return {
    covariance: { data: Float64Array.from(covariance.to1DArray()), rows: width, cols: width },
    standardErrors: Float64Array.from(errors.slice(1)),
    interceptStandardError: errors[0],
    intervals: Array.from(coefficients, (theta, j) => around(theta, errors[1 + j])),
    interceptInterval: intercept ? around(atZero, errors[0]) : { low: 0, high: 0, confidence },
  };
}
