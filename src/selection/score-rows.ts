// The three kinds of score of the library, all made of the one formula σ = proxy + Λ v.

import { requireOneOf } from '../core/check.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import { clusterMeans, estimateLambda, globalRatio } from './lambda.ts';
import { expandLambda, mixWithUniform, type SensitivityScores, sensitivityScores } from './sensitivity.ts';
import type { Observations, ScoreMode } from './types.ts';

export const SCORE_MODES: readonly ['robust', 'paper', 'balanced'] = ['robust', 'paper', 'balanced'];

/** Uniform floor each mode uses unless told otherwise. */
export const DEFAULT_ALPHA: Readonly<Record<ScoreMode, number>> = { robust: 0.2, paper: 0, balanced: 0.2 };

export interface ScoreInput {
  /** Cluster of each row, shape (n,). */
  labels: Uint32Array;
  /** Squared distance of each row to its representative, shape (n,). */
  distances: Float64Array;
  /** Loss of each representative, shape (k,). */
  centerLosses: Float64Array;
  /** Losses of probes and of rows of earlier rounds. Default: none. */
  observations?: Observations | undefined;
  /**
   * - `robust` (default): proxy = mean of the representative's and the observed losses, one global λ from the ratio of means, floor 0.2.
   * - `paper`: proxy = loss of the representative; Λ given, or ln n times the largest observed ratio; no floor.
   * - `balanced`: proxy = loss of the representative; λ = Σproxy/Σv, so that both terms carry the same mass; floor 0.2.
   */
  mode?: ScoreMode;
  /** Hölder constants; overrides the mode's own. */
  lambda?: number | ArrayLike<number> | undefined;
  /** Scope of the paper's estimator. Default `cluster`. */
  lambdaScope?: 'cluster' | 'global' | undefined;
  /** Uniform floor α in [0, 1]. Default: the mode's. */
  alpha?: number | undefined;
  /** z > 0. Default 2. */
  power?: number;
  /** u ≥ 0, shape (n,). Default: ones. */
  rowWeights?: Float64Array | undefined;
}

/** Scores and how they came about. */
export interface ScoreModel extends SensitivityScores {
  mode: ScoreMode;
  /** Loss proxy ℓ̂ of each cluster, shape (k,). */
  proxies: Float64Array;
  /** Hölder constant of each cluster, shape (k,). */
  lambda: Float64Array;
  power: number;
  alpha: number;
  /** Sampling probabilities p, shape (n,). */
  probabilities: Float64Array;
}

/**
 * Scores all rows and turns the scores into sampling probabilities.
 *
 * @throws {InvalidArgumentError} `robust`, or `paper` without Λ, has nothing observed though there are rows to observe
 *
 * Time O(n + observations), memory O(n). Reference: arXiv 2402.17327; the robust and balanced modes are this library's.
 */
export function scoreRows({
  labels,
  distances,
  centerLosses,
  observations,
  mode = 'robust',
  lambda,
  lambdaScope = 'cluster',
  alpha,
  power = 2,
  rowWeights,
}: ScoreInput): ScoreModel {
  requireOneOf('scoreRows: mode', mode, SCORE_MODES);
  const k = centerLosses.length;
  const base = { labels, distances, power, rowWeights };
  const seen = observations && observations.ids.length > 0 ? observations : undefined;
  const needsLosses = mode === 'robust' || (mode === 'paper' && lambda === undefined);
  if (needsLosses && !seen && labels.length > k) {
    throw new InvalidArgumentError(
      `scoreRows: mode "${mode}" has no observed losses; expected probes${mode === 'paper' ? ' or lambda' : ''}. ` +
        'Allow probes, or use mode "balanced", which needs none.',
    );
  }

  let proxies = centerLosses;
  let lambdas: Float64Array;
  if (mode === 'robust') {
    const means = seen && clusterMeans(seen, centerLosses);
    if (means) proxies = means.proxies;
    lambdas =
      lambda !== undefined
        ? expandLambda('scoreRows', lambda, k)
        : new Float64Array(k).fill(means ? globalRatio(means, clusterSizes(labels, k, rowWeights)) : 0);
  } else if (lambda !== undefined) {
    lambdas = expandLambda('scoreRows', lambda, k);
  } else if (mode === 'paper') {
    lambdas = seen
      ? estimateLambda({
          observations: seen,
          centerLosses,
          scope: lambdaScope,
          factor: Math.log(labels.length),
        })
      : new Float64Array(k);
  } else {
    const { total, phi } = sensitivityScores({ ...base, centerLosses, lambda: 0 });
    lambdas = new Float64Array(k).fill(phi > 0 ? total / phi : 0);
  }

  const scored = sensitivityScores({ ...base, centerLosses: proxies, lambda: lambdas });
  const floor = alpha ?? DEFAULT_ALPHA[mode];
  return {
    ...scored,
    mode,
    proxies,
    lambda: lambdas,
    power,
    alpha: floor,
    probabilities: mixWithUniform(scored.scores, floor, rowWeights),
  };
}

function clusterSizes(labels: Uint32Array, k: number, rowWeights: Float64Array | undefined): Float64Array {
  const sizes = new Float64Array(k);
  for (let e = 0; e < labels.length; e++) sizes[labels[e]] += rowWeights ? rowWeights[e] : 1;
  return sizes;
}
