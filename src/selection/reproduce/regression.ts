// Protocol X3: rows to label for a linear regression, by clusters instead of leverage scores.

import { kMeans, roundToMedoids } from '../../clustering/index.ts';
import { type Matrix32, takeRows } from '../../core/matrix.ts';
import { createRng } from '../../core/rng.ts';
import { gasSensorRegression, type RegressionData } from '../../data/datasets/index.ts';
import {
  firstSeeds,
  judge,
  type ProtocolOptions,
  type ProtocolReport,
  partOf,
} from '../../reproduce/protocol.ts';
import {
  drawSample,
  leverageScores,
  mixWithUniform,
  selectForRegression,
  solveLeastSquares,
  squaredCost,
} from '../index.ts';

const METHODS = ['uniform', 'leverage', 'clusters', 'distance only'] as const;
export type RegressionMethod = (typeof METHODS)[number];

export interface RegressionProtocolOptions extends ProtocolOptions {
  /** Rows sampled. Default [300, 600, 1200, 2400]; d = 129. */
  sizes?: readonly number[] | undefined;
  /** Clusters per row sampled. Default 0.1. */
  clustersPerRow?: number | undefined;
  /** Default: `gasSensorRegression()`, 13 910 rows. */
  data?: RegressionData | undefined;
}

/** Cost of the fit to the sample on all rows ÷ least cost, of each draw, for each size. */
export interface RegressionFigures {
  method: RegressionMethod;
  /** Median over draws, shape (sizes,). */
  median: number[];
  /** Quartiles over draws, shape (sizes,). */
  lowerQuartile: number[];
  upperQuartile: number[];
}

/**
 * For each draw and size: chooses rows, fits them by weighted least squares, and compares the cost on all rows with the
 * least. Rows are drawn with repeats; every method has its weights, so every fit aims at the same cost.
 *
 * Default: 25 draws. Time about 4 minutes on two busy cores, most of it factorisations.
 */
export async function reproduceRegression(
  options: RegressionProtocolOptions = {},
): Promise<ProtocolReport<RegressionFigures[]>> {
  const { sizes = [300, 600, 1200, 2400], seeds = firstSeeds(25), clustersPerRow = 0.1 } = options;
  const { features, targets } = options.data ?? gasSensorRegression();
  const n = features.rows;
  const least = squaredCost(features, targets, solveLeastSquares(features, targets));
  const ratio = (x: Float64Array) => squaredCost(features, targets, x) / least;
  const fit = (p: Float64Array, size: number, seed: number) => {
    const { ids, weights } = drawSample(p, { size, seed });
    const picked = Float64Array.from(ids, (id) => targets[id]);
    return ratio(solveLeastSquares(takeRows(features, ids), picked, { weights }));
  };

  const uniform = new Float64Array(n).fill(1 / n);
  const { scores, total } = await leverageScores(features, options);
  const leverage = scores.map((score) => score / total);
  const ratios = new Map<RegressionMethod, number[][]>(
    METHODS.map((method) => [method, sizes.map(() => [])]),
  );
  for (const [j, size] of sizes.entries()) {
    const k = Math.max(10, Math.round(clustersPerRow * size));
    for (const [i, seed] of seeds.entries()) {
      const run = partOf(
        options,
        `regression, ${size} rows`,
        j * seeds.length + i,
        sizes.length * seeds.length,
      );
      const add = (method: RegressionMethod, value: number) => ratios.get(method)![j].push(value);
      const clustering = await clusterOnce(features, k, seed, run.signal);
      const selected = await selectForRegression(features, {
        targets: (ids) => Float64Array.from(ids, (id) => targets[id]),
        size,
        scheme: 'hansen-hurwitz',
        clustering,
        seed,
        ...run,
      });
      const draw = createRng(seed).fork(`regression ${size}`).uint32();
      add('uniform', fit(uniform, size, draw));
      add('leverage', fit(leverage, size, draw));
      add('clusters', ratio(selected.value.coefficients));
      add('distance only', fit(mixWithUniform(clustering.distances, 0.5), size, draw));
    }
  }
  const figures = METHODS.map((method): RegressionFigures => {
    const at = (q: number) => ratios.get(method)!.map((values) => quantile(values, q));
    return { method, median: at(0.5), lowerQuartile: at(0.25), upperQuartile: at(0.75) };
  });
  return {
    id: 'X3',
    title: 'Rows for a linear regression',
    setting: {
      dataset: options.data ? 'given' : 'synthetic gas sensor readings',
      rows: n,
      columns: features.cols,
      sizes,
      clustersPerRow,
      seeds,
    },
    figures,
    verdicts: verdictsOf(figures, sizes, features.cols),
  };
}

async function clusterOnce(features: Matrix32, k: number, seed: number, signal: AbortSignal | undefined) {
  const { labels, centers } = await kMeans(features, { k, seed, signal, maxIterations: 25 });
  const { medoids, distances } = await roundToMedoids(features, { labels, centers });
  return { labels, representatives: medoids, distances };
}

/** Linear interpolation between the two nearest order statistics. @param q - in [0, 1] */
function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  return sorted[low] + (at - low) * (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]);
}

/** The claims hold from 5 d rows on; with fewer, all methods fit badly and uniform may win. */
function verdictsOf(figures: readonly RegressionFigures[], sizes: readonly number[], d: number) {
  const medianOf = (method: RegressionMethod) => figures.find((row) => row.method === method)!.median;
  return sizes.flatMap((size, j) => {
    if (size < 5 * d) return [];
    return [
      judge(
        `${size} rows: clusters come close to leverage scores`,
        medianOf('clusters')[j] / medianOf('leverage')[j],
        {
          high: 1.1,
          unit: 'ratio of median costs',
        },
      ),
      judge(
        `${size} rows: clusters beat uniform sampling`,
        medianOf('clusters')[j] / medianOf('uniform')[j],
        {
          high: 0.85,
          unit: 'ratio of median costs',
        },
      ),
    ];
  });
}
