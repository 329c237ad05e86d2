// Hölder constants from observed losses: the paper's largest ratio, and the robust ratio of means.

import { requireInteger, requireLength, requireOneOf } from '../core/check.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import type { Observations } from './types.ts';

export interface LambdaInput {
  observations: Observations;
  /** Loss of each representative, shape (k,). */
  centerLosses: ArrayLike<number>;
  /** One constant per cluster, or the same for all. Default `cluster`. */
  scope?: 'cluster' | 'global';
  /** Factor on the largest ratio seen; ln n in the paper. Default 1. */
  factor?: number;
}

/** Largest and second largest ratio |ℓ − ℓ(c)|/v seen. */
interface TopRatios {
  first: number;
  /** Index of the observation of the largest. */
  holder: number;
  second: number;
}

/**
 * The paper's estimator Λ̂ᵢ = factor · max |ℓ(e) − ℓ(cᵢ)| / v(e) over the rows observed in cluster i.
 *
 * If at least a share q of every cluster's rows has a ratio ≥ Λᵢ/ln n, then `probesPerCluster(k, q)` uniform probes make
 * Λᵢ ≤ Λ̂ᵢ ≤ ln(n)·Λᵢ in all clusters with probability ≥ 0.99. Clusters without an observation get 0.
 *
 * @returns Λ̂, shape (k,), unit loss / distance^z
 *
 * Time O(observations + k).
 */
export function estimateLambda({
  observations,
  centerLosses,
  scope = 'cluster',
  factor = 1,
}: LambdaInput): Float64Array {
  requireOneOf('estimateLambda: scope', scope, ['cluster', 'global']);
  requireObservations('estimateLambda', observations, centerLosses.length);
  const tops = topRatios(observations, centerLosses, scope);
  return Float64Array.from(
    { length: centerLosses.length },
    (_, i) => factor * tops[scope === 'global' ? 0 : i].first,
  );
}

/**
 * Λ̂ of the cluster of each observation, estimated from the others alone: what a held-back check needs.
 *
 * @returns shape (observations,); NaN where no other observation exists
 */
export function heldBackLambda({
  observations,
  centerLosses,
  scope = 'cluster',
  factor = 1,
}: LambdaInput): Float64Array {
  const tops = topRatios(observations, centerLosses, scope);
  const counts = new Uint32Array(centerLosses.length);
  for (const i of observations.clusters) counts[scope === 'global' ? 0 : i]++;
  return Float64Array.from(observations.ids, (_, j) => {
    const i = scope === 'global' ? 0 : observations.clusters[j];
    if (counts[i] < 2) return Number.NaN;
    return factor * (tops[i].holder === j ? tops[i].second : tops[i].first);
  });
}

/** Below this share of the mean distance power a ratio says nothing but rounding (duplicates of the representative: 0/0). */
const TINY_DISTANCE = 1e-12;

function topRatios(
  { losses, clusters, distancePowers }: Observations,
  centerLosses: ArrayLike<number>,
  scope: 'cluster' | 'global',
): TopRatios[] {
  const tops = Array.from({ length: centerLosses.length }, () => ({ first: 0, holder: -1, second: 0 }));
  const scale = distancePowers.reduce((sum, v) => sum + v, 0) / Math.max(1, distancePowers.length);
  for (let j = 0; j < losses.length; j++) {
    if (distancePowers[j] <= TINY_DISTANCE * scale) continue;
    const ratio = Math.abs(losses[j] - centerLosses[clusters[j]]) / distancePowers[j];
    const top = tops[scope === 'global' ? 0 : clusters[j]];
    if (ratio > top.first) {
      top.second = top.first;
      top.first = ratio;
      top.holder = j;
    } else if (ratio > top.second) top.second = ratio;
  }
  return tops;
}

/** Per-cluster means behind the robust scores. */
export interface ClusterMeans {
  /** Loss proxy ŷ: trusted mean of the representative's loss and the observed ones, shape (k,). */
  proxies: Float64Array;
  /** Σ trust of the observations, shape (k,). */
  trust: Float64Array;
  /** Σ trust·ℓ, shape (k,). */
  lossSums: Float64Array;
  /** Σ trust·|ℓ − ℓ(c)|, shape (k,). */
  deviationSums: Float64Array;
  /** Σ trust·v, shape (k,). */
  distanceSums: Float64Array;
}

/** Means of what was observed, cluster by cluster. Time O(observations + k). */
export function clusterMeans(observations: Observations, centerLosses: ArrayLike<number>): ClusterMeans {
  const k = centerLosses.length;
  requireObservations('clusterMeans', observations, k);
  const { clusters, losses, distancePowers, trust } = observations;
  const means: ClusterMeans = {
    proxies: new Float64Array(k),
    trust: new Float64Array(k),
    lossSums: new Float64Array(k),
    deviationSums: new Float64Array(k),
    distanceSums: new Float64Array(k),
  };
  for (let j = 0; j < losses.length; j++) {
    const i = clusters[j];
    const t = trust ? trust[j] : 1;
    means.trust[i] += t;
    means.lossSums[i] += t * losses[j];
    means.deviationSums[i] += t * Math.abs(losses[j] - centerLosses[i]);
    means.distanceSums[i] += t * distancePowers[j];
  }
  for (let i = 0; i < k; i++) means.proxies[i] = (centerLosses[i] + means.lossSums[i]) / (1 + means.trust[i]);
  return means;
}

/**
 * One global ratio λ = Σ|Cᵢ|·mean|ℓ − ℓ(cᵢ)| / Σ|Cᵢ|·mean v: how much losses move per distance on average.
 *
 * A ratio of means, so that neither a confident cluster (ratios ≈ 0) nor one odd row (a huge ratio) rules the scores.
 * Clusters without an observation are left out; 0 when nothing was observed or all distances are 0.
 *
 * @param sizes - rows of each cluster, shape (k,)
 * Time O(k).
 */
export function globalRatio(
  { trust, deviationSums, distanceSums }: ClusterMeans,
  sizes: ArrayLike<number>,
): number {
  let deviation = 0;
  let distance = 0;
  for (let i = 0; i < trust.length; i++) {
    if (!(trust[i] > 0)) continue;
    deviation += (sizes[i] * deviationSums[i]) / trust[i];
    distance += (sizes[i] * distanceSums[i]) / trust[i];
  }
  return distance > 0 ? deviation / distance : 0;
}

function requireObservations(where: string, observations: Observations, k: number): void {
  const { clusters, losses, distancePowers, trust } = observations;
  requireLength(`${where}: observations.losses`, losses, clusters.length);
  requireLength(`${where}: observations.distancePowers`, distancePowers, clusters.length);
  if (trust) requireLength(`${where}: observations.trust`, trust, clusters.length);
  requireInteger(`${where}: centerLosses.length`, k, 1);
  for (let j = 0; j < clusters.length; j++) {
    if (clusters[j] >= k) {
      throw new InvalidArgumentError(
        `${where}: observations.clusters[${j}] is ${clusters[j]}; expected an index below the ${k} center losses.`,
      );
    }
  }
}
