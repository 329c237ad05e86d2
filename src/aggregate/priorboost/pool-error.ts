// The error of linear fits given their bags, at estimates of what it depends on.

import { CholeskyDecomposition } from 'ml-matrix';
import type { Matrix64 } from '../../core/matrix.ts';
import { type RunOptions, yieldToEventLoop } from '../../core/progress.ts';
import { type Bags, bagCount } from '../bags/bags.ts';
import { symmetricSolver, toMatrix } from '../models/symmetric-solver.ts';
import type { AggregateData } from '../types.ts';

/** Mean squared error of the predictions for the samples in the bags, (unit of the responses)², over responses and privacy noise. */
export interface FitError {
  /** Of the expected predictions: no noise in it. */
  squaredBias: number;
  /** Trace of the covariance of the predictions ÷ samples. */
  variance: number;
  /** Frobenius norm of that covariance ÷ samples: ≥ its largest eigenvalue. */
  spread: number;
}

/** What is estimated of the linear fits to some bags. */
export interface PoolError {
  /** Error of the fit at some ρ ≥ 0; undefined when that fit is not unique. */
  at(rho: number): FitError | undefined;
  /** σ² of single responses, by the bag-level fit. */
  residualVariance: number;
  /** Mean squared deviation of its predictions from their mean: the error of predicting that mean. */
  scale: number;
}

/**
 * Estimates the error of linear fits with intercept, size weights and no ridge.
 *
 * In coordinates where the features' second moments are the identity, squared length of coefficients is mean squared error of predictions, and
 * G + W = n·I. So M = G + ρW = (1 − ρ)G + ρn·I, the bias is −ρM⁻¹Wθ and the covariance M⁻¹(σ²G + Σ_a v_a k_a² x̄_a x̄_aᵀ)M⁻¹; at ρ = 1 their sum is at most
 * (SSW(Xθ) + σ² min(m, d)) / n without privacy noise. θ and σ² are unknown: they are replaced by those of the bag-level fit (ρ = 0), which is unbiased
 * on whatever bags, so that the bias is rather too large than too small.
 *
 * @returns undefined: there are fewer bags than coefficients and two, or columns are dependent
 *
 * O(n d²), then O(d³) for each ρ. Derived.
 */
export async function poolError(
  { features, bags, means, noiseVariance }: AggregateData,
  run: RunOptions = {},
): Promise<PoolError | undefined> {
  const p = features.cols + 1;
  const m = bagCount(bags);
  const n = bags.members.length;
  if (m < p + 2) return undefined;
  const { moments, centers } = await momentsOf(features, bags, run);
  if (symmetricSolver(moments).rank < p) return undefined;
  const whitener = Float64Array.from(
    new CholeskyDecomposition(toMatrix(moments)).lowerTriangularMatrix.to1DArray(),
  );

  const between = new Float64Array(p * p);
  const noise = new Float64Array(p * p);
  const products = new Float64Array(p);
  for (let a = 0; a < m; a++) {
    const size = bags.offsets[a + 1] - bags.offsets[a];
    const z = centers.subarray(a * p, (a + 1) * p);
    whiten(z, whitener);
    const released = noiseVariance ? noiseVariance[a] * size * size : 0;
    for (let j = 0; j < p; j++) {
      products[j] += size * z[j] * means[a];
      for (let l = 0; l < p; l++) {
        between[j * p + l] += size * z[j] * z[l];
        noise[j * p + l] += released * z[j] * z[l];
      }
    }
  }
  const bagLevel = symmetricSolver(between);
  if (bagLevel.rank < p) return undefined;
  const theta = bagLevel.solve(products);
  let residuals = 0;
  for (let a = 0; a < m; a++) {
    const size = bags.offsets[a + 1] - bags.offsets[a];
    residuals += (size * (means[a] - dot(theta, centers.subarray(a * p, (a + 1) * p))) ** 2) / (m - p);
    residuals -= (size * (noiseVariance?.[a] ?? 0)) / m;
  }
  const residualVariance = Math.max(0, residuals);
  // The first coordinate is the constant one: it has no deviation.
  const scale = dot(theta, theta) - theta[0] ** 2;
  return {
    at: (rho) => fitError({ between, noise, theta, n, p, residualVariance }, rho),
    residualVariance,
    scale,
  };
}

interface WhiteStatistics {
  between: Float64Array;
  noise: Float64Array;
  theta: Float64Array;
  n: number;
  p: number;
  residualVariance: number;
}

function fitError(
  { between, noise, theta, n, p, residualVariance }: WhiteStatistics,
  rho: number,
): FitError | undefined {
  const matrix = between.map((value) => (1 - rho) * value);
  const lost = new Float64Array(p);
  for (let i = 0; i < p; i++) {
    matrix[i * p + i] += rho * n;
    lost[i] = rho * (dot(between.subarray(i * p, (i + 1) * p), theta) - n * theta[i]);
  }
  const solver = symmetricSolver(matrix);
  if (solver.rank < p) return undefined;
  const bias = solver.solve(lost);
  const inverse = solver.inverse();
  const products = toMatrix(noise.map((value, i) => value + residualVariance * between[i]));
  const covariance = inverse.mmul(products).mmul(inverse);
  return { squaredBias: dot(bias, bias), variance: covariance.trace(), spread: covariance.norm('frobenius') };
}

/**
 * Value that the error stays below but for the failure probability, if noise is Gaussian: (√bias² + √q)², where Σ λ_j χ²_1 ≤ q = Σ λ + 2‖λ‖√x + 2‖λ‖x at
 * x = ln(1/δ) (Laurent and Massart, Ann. Statist. 28, 2000, Lemma 1, with ‖λ‖ for the largest eigenvalue).
 */
export function errorLimit({ squaredBias, variance, spread }: FitError, failureProbability: number): number {
  const x = -Math.log(failureProbability);
  const noise = variance + 2 * spread * (Math.sqrt(x) + x);
  return (Math.sqrt(squaredBias) + Math.sqrt(noise)) ** 2;
}

/** Multiplications between two visits to the event loop: about 20 ms. */
const STEP = 2e7;

/** Second moments of the rows (1, x − mean), shape (p, p), and their mean over each bag, shape (bags, p). */
async function momentsOf(
  { data, cols }: Matrix64,
  { members, offsets }: Bags,
  { signal }: RunOptions,
): Promise<{ moments: Float64Array; centers: Float64Array }> {
  const p = cols + 1;
  const n = members.length;
  const center = new Float64Array(cols);
  for (const sample of members) for (let j = 0; j < cols; j++) center[j] += data[sample * cols + j] / n;
  const moments = new Float64Array(p * p);
  const centers = new Float64Array((offsets.length - 1) * p);
  const z = new Float64Array(p);
  z[0] = 1;
  let work = 0;
  for (let a = 0; a + 1 < offsets.length; a++) {
    const size = offsets[a + 1] - offsets[a];
    for (let i = offsets[a]; i < offsets[a + 1]; i++) {
      const row = members[i] * cols;
      for (let j = 0; j < cols; j++) z[j + 1] = data[row + j] - center[j];
      for (let j = 0; j < p; j++) {
        centers[a * p + j] += z[j] / size;
        for (let l = 0; l < p; l++) moments[j * p + l] += (z[j] * z[l]) / n;
      }
    }
    work += size * p * p;
    if (work > STEP) {
      work = 0;
      signal?.throwIfAborted();
      await yieldToEventLoop();
    }
  }
  return { moments, centers };
}

/** Into coordinates where the second moments are the identity, in place. @param factor - Cholesky factor of the moments */
function whiten(z: Float64Array, factor: Float64Array): void {
  const p = z.length;
  for (let j = 0; j < p; j++) {
    for (let l = 0; l < j; l++) z[j] -= factor[j * p + l] * z[l];
    z[j] /= factor[j * p + j];
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
