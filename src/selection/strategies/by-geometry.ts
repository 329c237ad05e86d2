// Strategies that look at embeddings only.

import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { kCenterGreedy } from '../../clustering/index.ts';
import { requireInteger } from '../../core/check.ts';
import { type RowSource, toSource } from '../../core/matrix.ts';
import { clusterRows } from '../partition.ts';
import { leverageScores } from '../regression/leverage.ts';
import { defaultClusterCount } from '../select-options.ts';
import { countRows, drawBy, needEmbeddings } from './input.ts';
import type { Select, StrategyOptions } from './types.ts';

/** Greedy k-center: each row the farthest from all before it, a 2-approximation of the smallest radius. O(n·size·d). */
export const selectKCenter: Select = async (input, options) => {
  const n = countRows('selectKCenter', input);
  requireInteger('selectKCenter: size', options.size, 1);
  const { indices } = await kCenterGreedy(needEmbeddings('selectKCenter', input), {
    k: Math.min(n, options.size),
    seed: options.seed ?? 0,
    signal: options.signal,
    onProgress: options.onProgress,
  });
  return { ids: indices, sample: undefined };
};

/** p = v/(2Φ) + 1/(2k|C|): the sensitivity of the k-means cost itself, losses not looked at. */
export const selectKMeansSensitivity: Select = async (input, options) => {
  countRows('selectKMeansSensitivity', input);
  const source = toSource(needEmbeddings('selectKMeansSensitivity', input));
  const { labels, distances } = await clusterRows(source, {
    k: partsOf(options, source.rows),
    seed: options.seed ?? 0,
    signal: options.signal,
    onProgress: options.onProgress,
  });
  const sizes = new Map<number, number>();
  for (const i of labels) sizes.set(i, (sizes.get(i) ?? 0) + 1);
  const phi = distances.reduce((sum, v) => sum + v, 0);
  const p = distances.map(
    (v, e) => (phi > 0 ? v / (2 * phi) : 0) + 1 / (2 * sizes.size * sizes.get(labels[e])!),
  );
  return drawBy(p, options);
};

/** p = 1/(2n) + d(x, mean)²/(2Σd²): the lightweight coreset (Bachem, Lucic, Krause 2018), two passes. */
export const selectLightweightCoreset: Select = async (input, options) => {
  const n = countRows('selectLightweightCoreset', input);
  const source = toSource(needEmbeddings('selectLightweightCoreset', input));
  const mean = await meanRow(source);
  const squares = new Float64Array(n);
  for await (const { start, points } of source.blocks()) {
    for (let e = 0; e < points.rows; e++) {
      let square = 0;
      for (let j = 0; j < points.cols; j++) square += (points.data[e * points.cols + j] - mean[j]) ** 2;
      squares[start + e] = square;
    }
  }
  const total = squares.reduce((sum, square) => sum + square, 0);
  return drawBy(
    squares.map((square) => 1 / (2 * n) + (total > 0 ? square / (2 * total) : 0)),
    options,
  );
};

/** p ∝ leverage score. */
export const selectLeverage: Select = async (input, options) => {
  countRows('selectLeverage', input);
  const { scores } = await leverageScores(needEmbeddings('selectLeverage', input), options);
  return drawBy(scores, options);
};

/** p ∝ ridge leverage score, with ρ = the mean squared column norm divided by the size: directions weaker than that count less. */
export const selectRidgeLeverage: Select = async (input, options) => {
  countRows('selectRidgeLeverage', input);
  const points = needEmbeddings('selectRidgeLeverage', input);
  const trace = (await scatter(toSource(points))).trace();
  const { scores } = await leverageScores(points, {
    ...options,
    ridge: Math.max(Number.MIN_VALUE, trace / points.cols / options.size),
  });
  return drawBy(scores, options);
};

/**
 * p from the best k-dimensional sub-space instead of k centers: half by leverage within it, half by squared distance from it.
 *
 * The formula is this library's: the literature on low-rank residual sampling was not at hand.
 */
export const selectLowRankResidual: Select = async (input, options) => {
  const n = countRows('selectLowRankResidual', input);
  const source = toSource(needEmbeddings('selectLowRankResidual', input));
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(await scatter(source), {
    assumeSymmetric: true,
  });
  const order = realEigenvalues
    .map((_, j) => j)
    .sort((a, b) => realEigenvalues[b] - realEigenvalues[a])
    .slice(0, Math.min(partsOf(options, n), source.cols))
    .filter((j) => realEigenvalues[j] > 1e-12 * Math.max(...realEigenvalues));
  const leverage = new Float64Array(n);
  const residual = new Float64Array(n);
  for await (const { start, points } of source.blocks()) {
    for (let e = 0; e < points.rows; e++) {
      const row = points.data.subarray(e * points.cols, (e + 1) * points.cols);
      let square = row.reduce((sum, x) => sum + x * x, 0);
      for (const j of order) {
        let along = 0;
        for (let i = 0; i < row.length; i++) along += row[i] * eigenvectorMatrix.get(i, j);
        square -= along ** 2;
        leverage[start + e] += along ** 2 / realEigenvalues[j];
      }
      residual[start + e] = Math.max(0, square);
    }
  }
  const rest = residual.reduce((sum, x) => sum + x, 0);
  const rank = Math.max(1, order.length);
  return drawBy(
    leverage.map((x, e) => (rest > 0 ? 0.5 * (x / rank + residual[e] / rest) : x / rank)),
    options,
  );
};

function partsOf({ k, size }: StrategyOptions, rows: number): number {
  if (k !== undefined) requireInteger('strategy: k', k, 1);
  return Math.min(rows, k ?? defaultClusterCount(size, rows));
}

async function meanRow(source: RowSource): Promise<Float64Array> {
  const mean = new Float64Array(source.cols);
  for await (const { points } of source.blocks()) {
    for (let e = 0; e < points.rows; e++) {
      for (let j = 0; j < source.cols; j++) mean[j] += points.data[e * source.cols + j] / source.rows;
    }
  }
  return mean;
}

/** AᵀA, shape (d, d). */
async function scatter(source: RowSource): Promise<Matrix> {
  const d = source.cols;
  const sums = new Float64Array(d * d);
  for await (const { points } of source.blocks()) {
    for (let e = 0; e < points.rows; e++) {
      for (let i = 0; i < d; i++) {
        const x = points.data[e * d + i];
        for (let j = 0; j < d; j++) sums[i * d + j] += x * points.data[e * d + j];
      }
    }
  }
  return Matrix.from1DArray(d, d, Array.from(sums));
}
