// Rows worth labelling for a linear regression: cluster, label the representatives, score by residual and distance.

import type { Certified } from '../../core/certificate.ts';
import { requireInteger, requireNumber, requireOneOf, requireSeed } from '../../core/check.ts';
import { type Matrix32, type Matrix64, type RowSource, toSource } from '../../core/matrix.ts';
import { createRng } from '../../core/rng.ts';
import { countedOracle, type OracleOptions } from '../loss-oracle.ts';
import { clusterRows, completePartition, type GivenClustering } from '../partition.ts';
import { preparePool } from '../pool.ts';
import { drawWith } from '../sampling/draw-sample.ts';
import { defaultClusterCount } from '../select-options.ts';
import { mixWithUniform } from '../sensitivity.ts';
import { SAMPLING_SCHEMES, type SamplingScheme, type WeightedSample } from '../types.ts';
import { solveLeastSquares } from './least-squares.ts';

export interface RegressionOptions extends Omit<OracleOptions, 'onInvalid' | 'signed' | 'quantity'> {
  /** Targets b of rows by id, any sign: asked for the representatives and the selected rows, once each. */
  targets: (ids: Uint32Array) => ArrayLike<number> | Promise<ArrayLike<number>>;
  /** Rows to select, s. */
  size: number;
  /** Clusters. Default s/10, at least 10. */
  k?: number | undefined;
  /** Share β in [0, 1] of the distance part of the score. Default 0.5. */
  beta?: number;
  /** Uniform floor α in [0, 1]. Default 0.5. */
  alpha?: number;
  /** ρ of the pilot fit on the representatives, as a share of the mean squared column norm. Default 1e-3. */
  ridge?: number;
  /** Default `fixed-size`. */
  scheme?: SamplingScheme;
  /** Default 0. */
  seed?: number;
  /** Use this partition instead of k-means. */
  clustering?: GivenClustering | undefined;
}

export interface RegressionSelection extends WeightedSample {
  /** Coefficients fitted to the sample by weighted least squares, shape (d,). */
  coefficients: Float64Array;
  /** Coefficients of the pilot fit on the representatives, shape (d,). */
  pilot: Float64Array;
  /** Targets of the selected rows, in the order of `ids`. */
  targets: Float64Array;
  /** Targets asked altogether. */
  queries: number;
  k: number;
}

/**
 * Selects rows for a linear regression and fits it to them.
 *
 * score(i) = (1−β)·pilot loss of i's representative / Σ + β·‖aᵢ − a_c‖²/Σ, with floor α: if targets are Lipschitz in the rows
 * (|bᵢ − bⱼ| ≤ ζ‖aᵢ − aⱼ‖), then (⟨aᵢ,x⟩−bᵢ)² ≤ 2(⟨a_c,x⟩−b_c)² + 2(‖x‖+ζ)²‖aᵢ−a_c‖². Needs no d×d factorisation of all rows, unlike
 * leverage scores, and promises less: no bound on the cost of the fit is proved here.
 *
 * @param points - A, shape (n, d); append a column of ones for an intercept
 * @throws {InvalidArgumentError} an option leaves its range @throws {DataError} a row or a target is not finite
 *
 * Time O(n k d) for the clustering, O(n d + (s + k) d²) for the rest.
 * Reference: arXiv 2402.17327 (assumption and aim); the algorithm is this library's.
 */
export async function selectForRegression(
  points: Matrix32 | RowSource,
  options: RegressionOptions,
): Promise<Certified<RegressionSelection>> {
  const {
    targets,
    size,
    beta = 0.5,
    alpha = 0.5,
    ridge = 1e-3,
    scheme = 'fixed-size',
    seed = 0,
    clustering,
  } = options;
  requireInteger('selectForRegression: size', size, 1);
  requireNumber('selectForRegression: beta', beta, 0, 1);
  requireNumber('selectForRegression: alpha', alpha, 0, 1);
  requireNumber('selectForRegression: ridge', ridge, 0);
  requireSeed('selectForRegression: seed', seed);
  requireOneOf('selectForRegression: scheme', scheme, SAMPLING_SCHEMES);
  if (options.k !== undefined) requireInteger('selectForRegression: k', options.k, 1);
  const { source } = await preparePool(points, { signal: options.signal });
  const k = Math.min(source.rows, options.k ?? defaultClusterCount(size / 2, source.rows));
  const {
    labels,
    representatives,
    distances,
    backend = 'none',
  } = clustering
    ? await completePartition(source, clustering)
    : await clusterRows(source, { ...options, k, seed });

  const oracle = countedOracle(targets, {
    ...options,
    onInvalid: 'reject',
    signed: true,
    quantity: 'target',
  });
  const centerTargets = await oracle.ask(representatives, 'targets of representatives');
  const centers = await takeSourceRows(source, representatives);
  const sizes = new Float64Array(representatives.length);
  for (const i of labels) sizes[i]++;
  const pilot = solveLeastSquares(centers, centerTargets, {
    weights: sizes,
    ridge: ridge * meanSquaredColumn(centers, sizes),
  });
  const centerLosses = residuals(centers, centerTargets, pilot).map((residual) => residual ** 2);
  const scores = regressionScores(labels, distances, centerLosses, beta);

  const rng = createRng(seed).fork('regression');
  const sample = drawWith(mixWithUniform(scores, alpha), { size, scheme, rng: rng.fork('draw') });
  const sampled = await oracle.ask(sample.ids, 'targets of the sample');
  const rows = await takeSourceRows(source, sample.ids);
  return {
    value: {
      ...sample,
      coefficients: solveLeastSquares(rows, sampled, { weights: sample.weights }),
      pilot,
      targets: sampled,
      queries: oracle.queries,
      k: representatives.length,
    },
    certificate: {
      statement: 'cost of the fitted coefficients ÷ least cost − 1',
      source: 'arXiv 2402.17327 (regression); derived scores, no bound proved',
      assumptions: [
        { statement: '|b(i) − b(j)| ≤ ζ·‖a(i) − a(j)‖ within clusters', status: 'assumed' },
        {
          statement: `Σ weight·f is unbiased for every f over the rows, uniform floor α = ${alpha}`,
          status: alpha > 0 ? 'proved' : 'assumed',
        },
      ],
      bound: { value: Infinity, unit: 'dimensionless', failureProbability: 0 },
      seed,
      backend,
      warnings:
        sample.ids.length < source.cols
          ? [`${sample.ids.length} rows for ${source.cols} columns: the fit is the shortest of many.`]
          : [],
    },
  };
}

/** (1−β)·ℓ̂/Σℓ̂ + β·d²/Σd²; a part whose sum is 0 leaves its share to the other. Shape (n,). */
export function regressionScores(
  labels: Uint32Array,
  distances: Float64Array,
  centerLosses: ArrayLike<number>,
  beta: number,
): Float64Array {
  let lossSum = 0;
  let distanceSum = 0;
  for (let e = 0; e < labels.length; e++) {
    lossSum += centerLosses[labels[e]];
    distanceSum += distances[e];
  }
  const lossScale = lossSum > 0 ? (1 - beta) / lossSum : 0;
  const distanceScale = distanceSum > 0 ? beta / distanceSum : 0;
  return distances.map((distance, e) => lossScale * centerLosses[labels[e]] + distanceScale * distance);
}

/** Copies rows of a source, in the order of `ids` (any order). One pass. */
async function takeSourceRows(points: Matrix32 | RowSource, ids: Uint32Array): Promise<Matrix32> {
  const source = toSource(points);
  const { cols } = source;
  const data = new Float32Array(ids.length * cols);
  const order = Uint32Array.from(ids, (_, j) => j).sort((a, b) => ids[a] - ids[b]);
  let next = 0;
  for await (const { start, points: block } of source.blocks()) {
    for (; next < order.length && ids[order[next]] < start + block.rows; next++) {
      const i = ids[order[next]] - start;
      data.set(block.data.subarray(i * cols, (i + 1) * cols), order[next] * cols);
    }
  }
  return { data, rows: ids.length, cols };
}

function residuals(
  { data, rows, cols }: Matrix32 | Matrix64,
  targets: Float64Array,
  x: Float64Array,
): Float64Array {
  return Float64Array.from({ length: rows }, (_, i) => {
    let value = -targets[i];
    for (let j = 0; j < cols; j++) value += data[i * cols + j] * x[j];
    return value;
  });
}

/** trace(AᵀWA)/d. */
function meanSquaredColumn({ data, rows, cols }: Matrix32, weights: Float64Array): number {
  let trace = 0;
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) trace += weights[i] * data[i * cols + j] ** 2;
  return trace / cols;
}
