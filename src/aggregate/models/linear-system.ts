// The normal equations of the interpolating loss, and what follows from their solution.

import type { Matrix } from 'ml-matrix';
import { type LinearStatistics, scatterAbout } from './statistics.ts';
import { type SymmetricSolver, symmetricSolver } from './symmetric-solver.ts';

/** (G + ρW + λI) θ = b about the weighted means; with an intercept, G and b are without their means. */
export interface LinearSystem {
  statistics: LinearStatistics;
  /** Weighted mean of the bags' features about the centre (0 without an intercept), shape (d,). */
  mean: Float64Array;
  /** Weighted mean of the responses about the level (0 without an intercept). */
  responseMean: number;
  /** G, shape (d, d). */
  between: Float64Array;
  /** W, shape (d, d). */
  within: Float64Array;
  /** b, shape (d,). */
  right: Float64Array;
  /** Σ w·(ȳ − mean)². */
  responseSquares: number;
  /** Diagonals of G + W up to this are rounding, shape (d,). */
  zero: Float64Array;
  intercept: boolean;
}

export function linearSystem(statistics: LinearStatistics, intercept: boolean): LinearSystem {
  const { between, within, cross, response, responseSquares, center } = statistics;
  const d = center.length;
  const mean = intercept ? between.sum.map((x) => x / between.weight) : new Float64Array(d);
  const responseMean = intercept ? response / between.weight : 0;
  return {
    statistics,
    mean,
    responseMean,
    between: intercept ? scatterAbout(between, mean) : between.outer,
    within,
    right: intercept ? cross.map((x, j) => x - between.sum[j] * responseMean) : cross,
    responseSquares: intercept ? responseSquares - response * responseMean : responseSquares,
    // Features are given to 2⁻⁵³ of their size: one that does not vary leaves no more than that, a few times, in every row.
    zero: center.map((c) => between.weight * (8 * Number.EPSILON * c) ** 2),
    intercept,
  };
}

export interface LinearSolution {
  rho: number;
  coefficients: Float64Array;
  /** Prediction at the statistics' centre. */
  level: number;
  solver: SymmetricSolver;
}

/** Solves the system for one ρ. O(d³). */
export function solveAt(system: LinearSystem, rho: number, ridge: number): LinearSolution {
  const { between, within, right, mean, responseMean, statistics, zero } = system;
  const d = right.length;
  const m = between.map((g, i) => g + rho * within[i]);
  for (let j = 0; j < d; j++) m[j * d + j] += ridge;
  const solver = symmetricSolver(m, zero);
  const coefficients = solver.solve(right);
  let shift = 0;
  for (let j = 0; j < d; j++) shift += mean[j] * coefficients[j];
  return { rho, coefficients, level: statistics.level + responseMean - shift, solver };
}

/** Weighted sum of squared bag residuals Σ w·(ȳ_a − prediction)², ≥ 0, from the statistics alone. O(d²). */
export function bagResidualSquares(
  { between, right, responseSquares }: LinearSystem,
  coefficients: Float64Array,
): number {
  const d = right.length;
  let squares = responseSquares;
  for (let i = 0; i < d; i++) {
    let image = 0;
    for (let j = 0; j < d; j++) image += between[i * d + j] * coefficients[j];
    squares += coefficients[i] * (image - 2 * right[i]);
  }
  return Math.max(0, squares);
}

/** Covariance of b = Σ w·z̄·ȳ given features and bags: σ²·`sampling` + `noise`, each of shape (d, d). */
export function rightCovariance({ statistics, mean, between }: LinearSystem): {
  sampling: Float64Array;
  noise: Float64Array;
} {
  return {
    sampling: statistics.sampling === statistics.between ? between : scatterAbout(statistics.sampling, mean),
    noise: scatterAbout(statistics.noise, mean),
  };
}

/** Σᵢⱼ aᵢⱼ bᵢⱼ. */
export function frobeniusProduct(a: Matrix, b: Float64Array): number {
  const d = a.rows;
  let sum = 0;
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < d; j++) sum += a.get(i, j) * b[i * d + j];
  }
  return sum;
}
