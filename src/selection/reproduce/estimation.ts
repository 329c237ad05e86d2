// Protocol X1: how well few losses tell the sum of all, and what a wrong Hölder constant does to it.

import { createRng } from '../../core/rng.ts';
import { summarize } from '../../core/statistics/index.ts';
import {
  firstSeeds,
  judge,
  logLogSlope,
  type Measured,
  measure,
  type ProtocolOptions,
  type ProtocolReport,
  partOf,
} from '../../reproduce/protocol.ts';
import { drawSample, exactVariance, type ScoreMode, selectData } from '../index.ts';
import { allLosses, type PoolOptions, PROTOCOL_TRAINING, trainPilot, uniformPool } from './pool.ts';

/** Scores compared: each mode of the library, and uniform sampling. */
export type EstimationMethod = 'uniform' | ScoreMode;

const METHODS: readonly EstimationMethod[] = ['uniform', 'robust', 'balanced', 'paper'];

export interface EstimationOptions extends ProtocolOptions, PoolOptions {
  /** Numbers of draws s. Default [50, 100, 200, 400, 800]. */
  sizes?: readonly number[] | undefined;
  /** Samples per size and model. Default 200. */
  repeats?: number | undefined;
  /** Rows whose losses are summed. Default 20 000. */
  poolSize?: number | undefined;
  /** Rows that the model is trained on, beside the pool. Default 2 000. */
  pilotSize?: number | undefined;
  /** Clusters. Default 200. */
  k?: number | undefined;
}

/** Errors of one method, relative to the exact sum. */
export interface EstimationFigures {
  method: EstimationMethod;
  /** Root mean square relative error over the repeats of each size, averaged over models; shape (sizes,). */
  error: Measured[];
  /** The same from the exact variance of each sampling distribution, with no sampling at all. */
  exactError: Measured[];
  /** Slope of ln error against ln s; −0.5 is 1/√s. */
  slope: number;
  /** s × relative variance, what one draw is worth; smaller is better. */
  varianceFactor: Measured;
  /** Losses asked to make the scores. */
  queries: number;
}

/**
 * For each seed: trains a model, sums its losses over the pool from s draws (with repeats), and measures the error.
 *
 * Default: 3 models. Time about a minute on two busy cores.
 */
export async function reproduceEstimation(
  options: EstimationOptions = {},
): Promise<ProtocolReport<EstimationFigures[]>> {
  const { sizes = [50, 100, 200, 400, 800], repeats = 200, seeds = firstSeeds(3) } = options;
  const { poolSize = 20_000, pilotSize = 2000, k = 200 } = options;
  const pool = await uniformPool(poolSize + pilotSize, options);
  const results = METHODS.map((method) => ({
    method,
    errors: sizes.map(() => [] as number[]),
    exact: sizes.map(() => [] as number[]),
    factors: [] as number[],
    queries: 0,
  }));
  for (const [i, seed] of seeds.entries()) {
    const run = partOf(options, 'estimating losses', i, seeds.length);
    const pilot = await trainPilot(pool, pilotSize, { seed, training: PROTOCOL_TRAINING, ...run });
    const losses = await allLosses(pool, pilot);
    const total = losses.reduce((sum, loss) => sum + loss, 0);
    for (const result of results) {
      let p = new Float64Array(losses.length).fill(1 / losses.length);
      if (result.method !== 'uniform') {
        const { value } = await selectData(pilot.embeddings, {
          loss: (ids) => Float64Array.from(ids, (id) => losses[id]),
          size: sizes[0],
          k,
          mode: result.method,
          // The paper has no floor, but a row that cannot be drawn would be an error: the least floor that avoids it.
          alpha: result.method === 'paper' ? 1e-6 : undefined,
          seed,
          ...run,
        });
        p = Float64Array.from(value.model.probabilities);
        result.queries = Math.max(result.queries, value.queries);
      }
      result.factors.push(exactVariance(losses, p, 1) / total ** 2);
      for (const [j, size] of sizes.entries()) {
        result.errors[j].push(sampledError(p, losses, total, { size, repeats, seed }));
        result.exact[j].push(Math.sqrt(exactVariance(losses, p, size)) / total);
      }
    }
  }
  const figures = results.map(({ method, errors, exact, factors, queries }): EstimationFigures => {
    const error = errors.map(measure);
    const means = error.map(({ mean }) => mean);
    return {
      method,
      error,
      exactError: exact.map(measure),
      slope: logLogSlope(sizes, means),
      varianceFactor: measure(factors),
      queries,
    };
  });
  return {
    id: 'X1',
    title: 'Summing all losses from few',
    setting: { dataset: pool.name, pool: poolSize, pilot: pilotSize, k, sizes, repeats, seeds },
    figures,
    verdicts: verdictsOf(figures),
  };
}

/** Root mean square of (estimate − total) / total over samples drawn from p. */
function sampledError(
  p: Float64Array,
  losses: Float64Array,
  total: number,
  { size, repeats, seed }: { size: number; repeats: number; seed: number },
): number {
  const seeds = createRng(seed).fork(`repeats ${size}`);
  const squares = Array.from({ length: repeats }, () => {
    const { ids, weights } = drawSample(p, { size, seed: seeds.uint32() });
    const estimate = ids.reduce((sum, id, j) => sum + weights[j] * losses[id], 0);
    return (estimate / total - 1) ** 2;
  });
  return Math.sqrt(summarize(squares).mean);
}

function verdictsOf(figures: readonly EstimationFigures[]) {
  const of = (method: EstimationMethod) => figures.find((figure) => figure.method === method)!;
  const [uniform, robust, paper] = [of('uniform'), of('robust'), of('paper')];
  const ratio = (a: EstimationFigures) =>
    measure(a.error.map(({ mean }, j) => mean / uniform.error[j].mean)).mean;
  return [
    judge('the error falls as 1/√s', robust.slope, { low: -0.57, high: -0.43, unit: 'slope' }),
    judge('robust scores need fewer losses than uniform sampling', ratio(robust), {
      high: 0.95,
      unit: 'error ratio, mean over sizes',
    }),
    judge(
      'the paper’s own constants without a floor are far worse',
      paper.varianceFactor.mean / uniform.varianceFactor.mean,
      { low: 3, unit: 'ratio of s × relative variance to uniform sampling’s' },
    ),
  ];
}
