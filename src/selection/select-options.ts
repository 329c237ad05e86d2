// Options and result of selectData.

import {
  requireInteger,
  requireNumber,
  requireOneOf,
  requirePositive,
  requireProbability,
  requireSeed,
} from '../core/check.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import type { ElbowRow } from './elbow.ts';
import type { OracleOptions } from './loss-oracle.ts';
import type { GivenClustering } from './partition.ts';
import type { ErrorPrediction } from './prediction.ts';
import { sampleSize } from './sample-size.ts';
import { DEFAULT_ALPHA, SCORE_MODES, type ScoreModel } from './score-rows.ts';
import { expandLambda } from './sensitivity.ts';
import {
  type LossOracle,
  SAMPLING_SCHEMES,
  type SamplingScheme,
  type ScoreMode,
  type WeightedSample,
} from './types.ts';

export interface SelectOptions extends Omit<OracleOptions, 'signed'> {
  /** Losses of rows by id. Asked for the k representatives, then for the probes; never twice for one id. */
  loss: LossOracle;
  /** Rows to select, s. Give this or `epsilon`. */
  size?: number | undefined;
  /** Error as a share of T/(1−α), in (0, 1): s is then ⌈(2 + 2ε/3)/ε² · ln(2/δ)⌉. */
  epsilon?: number | undefined;
  /** Probability δ in (0, 1) that the bound may fail. Default 0.1. */
  failureProbability?: number | undefined;
  /** Clusters. Default `auto`: s/5, at least 10, at most 4096, never more than rows. */
  k?: number | 'auto' | undefined;
  /** How scores are made; see `scoreRows`. Default `robust`. */
  mode?: ScoreMode | undefined;
  /** How rows are drawn. Default `fixed-size`: no repeats, exactly s rows. */
  scheme?: SamplingScheme | undefined;
  /** Uniform floor α in [0, 1]. Default 0.2, in `paper` mode 0. */
  alpha?: number | undefined;
  /** Power z > 0 of the distances. Default 2. */
  power?: number | undefined;
  /** Hölder constants, unit loss / distance^z, one or one per cluster. Default: the mode's estimate. */
  lambda?: number | ArrayLike<number> | undefined;
  /** Scope of the paper's estimate of Λ. Default `cluster`. */
  lambdaScope?: 'cluster' | 'global' | undefined;
  /**
   * Probes per cluster. Default `auto`: `probesPerCluster(k)`, in `robust` mode at least 4 and at most 13; none in `balanced` mode and in
   * `paper` mode with given Λ.
   */
  probes?: number | 'auto' | undefined;
  /** Unsigned 32-bit integer. Default 0. */
  seed?: number | undefined;
  /** Use this partition instead of k-means. */
  clustering?: GivenClustering | undefined;
  /** How many rows each row stands for, u ≥ 0, shape (n,). Default: ones. */
  rowWeights?: ArrayLike<number> | undefined;
  /** `cosine` divides embeddings by their norms first. Default `euclidean`. */
  metric?: 'euclidean' | 'cosine' | undefined;
  /** An upper bound M of every loss that you know, e.g. 1 for 0/1 errors: the bound then needs no assumption on the scores. */
  maxLoss?: number | undefined;
  /** Also report T for k/2 and 2k clusters; asks their representatives' losses too. Default false. */
  elbow?: boolean | undefined;
}

/** A weighted sub-set of rows and the report on it. */
export interface Selection extends WeightedSample {
  /** Sampling probability p of each selected row, shape (rows,). */
  probabilities: Float64Array;
  /** Score σ of each selected row, unit of the loss. */
  scores: Float64Array;
  /** Loss proxy ℓ̂ of each selected row: the control variate of `estimateTotal`. */
  proxies: Float64Array;
  /** Σ u·ℓ̂ over all rows. */
  proxyTotal: number;
  /** Cluster of each selected row. */
  clusters: Uint32Array;
  /** Clusters made, ≤ the number asked for. */
  k: number;
  /** T = Σuσ. */
  total: number;
  /** Φ = Σuv. */
  phi: number;
  /** Φ^Λ = ΣΛuv, unit of the loss. */
  phiLambda: number;
  /** ε that the draws buy at δ: the bound is ε·T/(1−α) when the scores bound the losses. */
  epsilon: number;
  /** R: upper bound of u·ℓ/p over all rows, as far as is known; T/(1−α) unless a loss seen lies above. The bound is ε·R. */
  range: number;
  /** Rows whose loss was asked: representatives, probes, elbow. */
  queries: number;
  cacheHits: number;
  /** Version of the model that all losses came from. */
  modelId: string;
  /** Effective sample size (Σw)²/Σw² of the draws. */
  effectiveSize: number;
  /** Largest weight of a single draw. */
  maxWeight: number;
  /** Predicted variance and relative error of the estimated total. */
  predicted: ErrorPrediction;
  /** Probes looked at: row ids and losses, in the same order. */
  probes: { ids: Uint32Array; losses: Float64Array };
  /** Row ids of the representatives and their losses, shape (k,). */
  representatives: { ids: Uint32Array; losses: Float64Array };
  /** Ids left out: embeddings or losses that are not finite. */
  dropped: Uint32Array;
  /** Scores, probabilities and cluster sums of all rows that took part, in their order. */
  model: ScoreModel;
  /** Partition of the rows that took part. */
  labels: Uint32Array;
  /** Ids of the rows that took part; undefined when these are 0 … n−1. */
  poolIds: Uint32Array | undefined;
  /** T and Φ^Λ for k/2, k and 2k, when asked for. */
  elbow: ElbowRow[] | undefined;
}

/** Options with every default filled in. */
export type ResolvedOptions = SelectOptions & {
  size: number;
  failureProbability: number;
  mode: ScoreMode;
  scheme: SamplingScheme;
  alpha: number;
  power: number;
  seed: number;
};

/**
 * Fills in defaults and checks every option once.
 *
 * @throws {InvalidArgumentError} naming the first option that leaves its range
 */
export function resolveOptions(where: string, options: SelectOptions): ResolvedOptions {
  const {
    loss,
    size,
    epsilon,
    failureProbability = 0.1,
    mode = 'robust',
    scheme = 'fixed-size',
    alpha = DEFAULT_ALPHA[mode],
    power = 2,
    seed = 0,
    k = 'auto',
    probes = 'auto',
    lambda,
    lambdaScope = 'cluster',
    maxLoss,
  } = options;
  if (typeof loss !== 'function') {
    throw new InvalidArgumentError(
      `${where}: loss is ${typeof loss}; expected a function from row ids to losses.`,
    );
  }
  if ((size === undefined) === (epsilon === undefined)) {
    throw new InvalidArgumentError(
      `${where}: ${size === undefined ? 'neither size nor epsilon is' : 'both size and epsilon are'} given; expected exactly one of them.`,
    );
  }
  requireProbability(`${where}: failureProbability`, failureProbability);
  if (epsilon !== undefined) requireProbability(`${where}: epsilon`, epsilon);
  const draws = size ?? sampleSize(epsilon!, failureProbability);
  requireInteger(`${where}: size`, draws, 1, 0xffffffff);
  requireOneOf(`${where}: mode`, mode, SCORE_MODES);
  requireOneOf(`${where}: scheme`, scheme, SAMPLING_SCHEMES);
  requireOneOf(`${where}: lambdaScope`, lambdaScope, ['cluster', 'global']);
  requireNumber(`${where}: alpha`, alpha, 0, 1);
  requirePositive(`${where}: power`, power);
  requireSeed(`${where}: seed`, seed);
  if (k !== 'auto') requireInteger(`${where}: k`, k, 1);
  if (probes !== 'auto') requireInteger(`${where}: probes`, probes, 0);
  if (typeof lambda === 'number') expandLambda(where, lambda, 1);
  if (maxLoss !== undefined) requirePositive(`${where}: maxLoss`, maxLoss);
  return { ...options, size: draws, failureProbability, mode, scheme, alpha, power, seed };
}

/** Clusters for s draws among n rows: s/5, at least 10, at most 4096. */
export function defaultClusterCount(size: number, rows: number): number {
  return Math.min(rows, 4096, Math.max(10, Math.round(size / 5)));
}
