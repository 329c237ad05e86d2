// The error of linear fits given their bags, at estimates of what it depends on.

import type { Matrix64 } from '../../core/matrix.ts';
import { type Bags, bagCount } from '../bags/bags.ts';
import { conditionalRisk } from '../theory/conditional-risk.ts';
import { factorInPlace, solveInPlace } from '../theory/dense.ts';
import type { AggregateData } from '../types.ts';

/** What is estimated of the linear fits to some bags. */
export interface PoolError {
  /** Expected mean squared error of the predictions for the samples in the bags, over responses and privacy noise, of the fit at some ρ ≥ 0. */
  at(rho: number): number;
  /** σ² of the bag-level fit. */
  variance: number;
  /** Mean squared deviation of its predictions from their mean: the error of predicting that mean. */
  spread: number;
}

/**
 * Estimates the error of linear fits with intercept, size weights and no ridge.
 *
 * With M = G + ρW of the features, the expected mean squared error of the predictions for the n samples is
 * (1/n)‖X M⁻¹ρWθ‖² + (1/n) Σ_a (σ²/k_a + v_a) ‖X M⁻¹ k_a x̄_a‖², at ρ = 1 at most (SSW(Xθ) + σ² min(m, d)) / n. θ and σ² are unknown: they are replaced by
 * those of the bag-level fit (ρ = 0), which is unbiased on whatever bags, so that the first term is too large rather than too small on average.
 *
 * @returns undefined: there are fewer bags than coefficients and two, or columns are dependent
 *
 * O(n d²), and as much for each ρ. Derived.
 */
export function poolError({ features, bags, means, noiseVariance }: AggregateData): PoolError | undefined {
  const p = features.cols + 1;
  const m = bagCount(bags);
  const n = bags.members.length;
  if (m < p + 2) return undefined;
  const white = whitened(features, bags.members);
  if (!white) return undefined;
  const own: Bags = {
    samples: n,
    members: Uint32Array.from({ length: n }, (_, i) => i),
    offsets: bags.offsets,
  };

  // Bag-level fit in whitened coordinates.
  const sums = new Float64Array(m * p);
  const gram = new Float64Array(p * p);
  const theta = new Float64Array(p);
  for (let a = 0; a < m; a++) {
    const size = bags.offsets[a + 1] - bags.offsets[a];
    const z = sums.subarray(a * p, (a + 1) * p);
    for (let i = bags.offsets[a]; i < bags.offsets[a + 1]; i++) {
      for (let j = 0; j < p; j++) z[j] += white.data[i * p + j] / size;
    }
    for (let j = 0; j < p; j++) {
      theta[j] += size * z[j] * means[a];
      for (let l = 0; l < p; l++) gram[j * p + l] += size * z[j] * z[l];
    }
  }
  if (!factorInPlace(gram, p)) return undefined;
  solveInPlace(gram, p, theta);
  let residuals = 0;
  let privacyNoise = 0;
  for (let a = 0; a < m; a++) {
    const size = bags.offsets[a + 1] - bags.offsets[a];
    residuals += size * (means[a] - dot(theta, sums.subarray(a * p, (a + 1) * p))) ** 2;
    privacyNoise += (size * (noiseVariance?.[a] ?? 0)) / m;
  }
  const variance = Math.max(0, residuals / (m - p) - privacyNoise);
  let mean = 0;
  let squares = 0;
  for (let i = 0; i < n; i++) {
    const prediction = dot(theta, white.data.subarray(i * p, (i + 1) * p));
    mean += prediction / n;
    squares += prediction ** 2 / n;
  }
  return {
    at: (rho) => conditionalRisk(white, own, theta, { noise: variance, rho, noiseVariance }).risk,
    variance,
    spread: Math.max(0, squares - mean ** 2),
  };
}

/** Rows (1, x) of the members times the inverse factor of their second moments: squared length of coefficients is mean squared error of predictions. */
function whitened({ data, cols }: Matrix64, members: Uint32Array): Matrix64 | undefined {
  const p = cols + 1;
  const n = members.length;
  const rows = new Float64Array(n * p);
  const center = new Float64Array(cols);
  for (const sample of members) for (let j = 0; j < cols; j++) center[j] += data[sample * cols + j] / n;
  const moments = new Float64Array(p * p);
  for (let i = 0; i < n; i++) {
    const z = rows.subarray(i * p, (i + 1) * p);
    z[0] = 1;
    for (let j = 0; j < cols; j++) z[j + 1] = data[members[i] * cols + j] - center[j];
    for (let j = 0; j < p; j++) for (let l = 0; l <= j; l++) moments[j * p + l] += (z[j] * z[l]) / n;
  }
  if (!factorInPlace(moments, p)) return undefined;
  for (let i = 0; i < n; i++) {
    const z = rows.subarray(i * p, (i + 1) * p);
    for (let j = 0; j < p; j++) {
      for (let l = 0; l < j; l++) z[j] -= moments[j * p + l] * z[l];
      z[j] /= moments[j * p + j];
    }
  }
  return { data: rows, rows: n, cols: p };
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, j) => sum + value * b[j], 0);
}
