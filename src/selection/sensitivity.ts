// The formula of the paper: scores σ(e) = ℓ̂(c) + Λ v(e), and the probabilities made from them.

import { requireLength, requireNonNegative, requireNumber, requirePositive } from '../core/check.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import { CompensatedSum } from '../core/sums.ts';

export interface SensitivityInput {
  /** Cluster of each row, shape (n,), each < k. */
  labels: Uint32Array;
  /** Squared Euclidean distance of each row to its representative, shape (n,), ≥ 0. */
  distances: Float64Array;
  /** Loss of each representative, or another proxy of its cluster's losses, shape (k,), ≥ 0. */
  centerLosses: ArrayLike<number>;
  /** Hölder constant, unit loss / distance^z: one for all clusters, or one per cluster (k,). ≥ 0. */
  lambda: number | ArrayLike<number>;
  /** Power z > 0 of the distance. Default 2. */
  power?: number;
  /** How many rows each row stands for, u ≥ 0, shape (n,). Default: ones. */
  rowWeights?: Float64Array | undefined;
}

export interface SensitivityScores {
  /** σ(e) = ℓ̂ + Λ v(e), unit of the loss, shape (n,). Row weights are not in it. */
  scores: Float64Array;
  /** T = Σ u σ. */
  total: number;
  /** Φᵢ = Σ u v over cluster i, shape (k,). */
  clusterPhi: Float64Array;
  /** Rows of each cluster, Σu, shape (k,). */
  clusterSizes: Float64Array;
  /** Tᵢ = Σ u σ over cluster i, shape (k,). */
  clusterTotals: Float64Array;
  /** Φ = Σ Φᵢ. */
  phi: number;
  /** Φ^Λ = Σ Λᵢ Φᵢ, unit of the loss. */
  phiLambda: number;
}

/**
 * Computes the sensitivity scores of all rows from fixed clusters, losses and Hölder constants.
 *
 * @throws {InvalidArgumentError} power ≤ 0, Λ or a loss or a distance negative or not finite, a label ≥ k
 * @throws {ShapeError} lengths do not fit
 *
 * Time and memory O(n + k). Reference: arXiv 2402.17327, lines 3 and 4 of the algorithm.
 */
export function sensitivityScores({
  labels,
  distances,
  centerLosses,
  lambda,
  power = 2,
  rowWeights,
}: SensitivityInput): SensitivityScores {
  const n = labels.length;
  const k = centerLosses.length;
  requirePositive('sensitivityScores: power', power);
  requireLength('sensitivityScores: distances', distances, n);
  requireNonNegative('sensitivityScores: distances', distances);
  requireNonNegative('sensitivityScores: centerLosses', centerLosses);
  const lambdas = expandLambda('sensitivityScores', lambda, k);
  if (rowWeights) {
    requireLength('sensitivityScores: rowWeights', rowWeights, n);
    requireNonNegative('sensitivityScores: rowWeights', rowWeights);
  }

  const scores = new Float64Array(n);
  const clusterSizes = new Float64Array(k);
  const phiSums = Array.from({ length: k }, () => new CompensatedSum());
  for (let e = 0; e < n; e++) {
    const i = labels[e];
    if (i >= k) {
      throw new InvalidArgumentError(
        `sensitivityScores: labels[${e}] is ${i}; expected an index below the ${k} center losses.`,
      );
    }
    const v = distancePower(distances[e], power);
    const u = rowWeights ? rowWeights[e] : 1;
    scores[e] = centerLosses[i] + lambdas[i] * v;
    clusterSizes[i] += u;
    phiSums[i].add(u * v);
  }

  const clusterPhi = new Float64Array(k);
  const clusterTotals = new Float64Array(k);
  const total = new CompensatedSum();
  const phi = new CompensatedSum();
  const phiLambda = new CompensatedSum();
  for (let i = 0; i < k; i++) {
    clusterPhi[i] = phiSums[i].value;
    phi.add(clusterPhi[i]);
    phiLambda.add(lambdas[i] * clusterPhi[i]);
    clusterTotals[i] = clusterSizes[i] * centerLosses[i] + lambdas[i] * clusterPhi[i];
    total.add(clusterTotals[i]);
  }
  return {
    scores,
    total: total.value,
    clusterPhi,
    clusterSizes,
    clusterTotals,
    phi: phi.value,
    phiLambda: phiLambda.value,
  };
}

/** v = (d²)^(z/2), without a call to pow for the two usual powers. */
export function distancePower(squaredDistance: number, power: number): number {
  if (power === 2) return squaredDistance;
  if (power === 1) return Math.sqrt(squaredDistance);
  return squaredDistance ** (power / 2);
}

/** One Hölder constant per cluster. @throws {InvalidArgumentError} one is negative or not finite @throws {ShapeError} not k of them */
export function expandLambda(where: string, lambda: number | ArrayLike<number>, k: number): Float64Array {
  if (typeof lambda === 'number') {
    requireNumber(`${where}: lambda`, lambda, 0);
    return new Float64Array(k).fill(lambda);
  }
  requireLength(`${where}: lambda`, lambda, k);
  requireNonNegative(`${where}: lambda`, lambda);
  return Float64Array.from(lambda);
}

/**
 * Makes probabilities of scores and lays a uniform floor under them: p = (1−α)·uσ/T + α·u/U with U = Σu.
 *
 * The floor keeps every weight ≤ U/(αs) and the second moment Σℓ²/p ≤ (U/α)·Σℓ², whatever the losses do.
 * All scores zero: p is uniform, since no row is known to matter more.
 *
 * @param scores - σ ≥ 0, shape (n,)
 * @param alpha - share α of uniform sampling, in [0, 1]
 * @param rowWeights - u ≥ 0, shape (n,). Default: ones
 * @returns p, shape (n,), sums to 1 within rounding; 0 only where u = 0, or σ = 0 and α = 0
 * @throws {InvalidArgumentError} no row has weight, or a value leaves its range
 *
 * Time O(n).
 */
export function mixWithUniform(
  scores: ArrayLike<number>,
  alpha: number,
  rowWeights?: ArrayLike<number>,
): Float64Array {
  const n = scores.length;
  requireNumber('mixWithUniform: alpha', alpha, 0, 1);
  requireNonNegative('mixWithUniform: scores', scores);
  if (rowWeights) {
    requireLength('mixWithUniform: rowWeights', rowWeights, n);
    requireNonNegative('mixWithUniform: rowWeights', rowWeights);
  }
  const total = new CompensatedSum();
  const population = new CompensatedSum();
  for (let e = 0; e < n; e++) {
    const u = rowWeights ? rowWeights[e] : 1;
    total.add(u * scores[e]);
    population.add(u);
  }
  if (!(population.value > 0)) {
    throw new InvalidArgumentError(
      `mixWithUniform: scores has ${n} rows of total weight ${population.value}; expected at least one row of weight > 0.`,
    );
  }
  const share = total.value > 0 ? alpha : 1;
  const scale = total.value > 0 ? (1 - share) / total.value : 0;
  const floor = share / population.value;
  const p = new Float64Array(n);
  for (let e = 0; e < n; e++) p[e] = (rowWeights ? rowWeights[e] : 1) * (scale * scores[e] + floor);
  return p;
}
