// Protocol X6: how many clusters? More make the scores sharper and cost more losses.

import { kMeans } from '../../clustering/index.ts';
import {
  firstSeeds,
  judge,
  type Measured,
  measure,
  type ProtocolOptions,
  type ProtocolReport,
  partOf,
} from '../../reproduce/protocol.ts';
import { exactVariance, selectData } from '../index.ts';
import { allLosses, type PoolOptions, PROTOCOL_TRAINING, trainPilot, uniformPool } from './pool.ts';

export interface ClusterCountOptions extends ProtocolOptions, PoolOptions {
  /** Numbers of clusters, ascending. Default [10, 30, 100, 200, 400, 1000]. */
  clusterCounts?: readonly number[] | undefined;
  /** Losses that may be looked at altogether: representatives, probes and sample. Default 2 000. */
  queryBudget?: number | undefined;
  /** Probes per cluster paid from the budget. Default 1, so that 1 000 clusters leave something to sample. */
  probes?: number | undefined;
  /** Default 20 000. */
  poolSize?: number | undefined;
  /** Rows that the model is trained on, beside the pool. Default 2 000. */
  pilotSize?: number | undefined;
}

/** Figures of one number of clusters, averaged over models. */
export interface ClusterCountFigures {
  k: number;
  /** T/Σℓ, ≥ 1 when the scores bound the losses: how much the theorem pays for not knowing the losses. */
  looseness: Measured;
  /** Relative standard deviation of the estimated sum with 400 draws, exact; probes are not paid for. */
  errorAtFixedDraws: Measured;
  /** The same when the losses of representatives and probes are taken from the budget; Infinity when nothing is left. */
  errorAtFixedQueries: number;
}

/** Draws behind `errorAtFixedDraws`. */
const FIXED_DRAWS = 400;
/** Probes of all clusters together behind `looseness` and `errorAtFixedDraws`. */
const TOTAL_PROBES = 4000;

/** Default: 3 models. Time about a minute on two cores, most of it clustering. */
export async function reproduceClusterCounts(
  options: ClusterCountOptions = {},
): Promise<ProtocolReport<ClusterCountFigures[]>> {
  const { clusterCounts = [10, 30, 100, 200, 400, 1000], queryBudget = 2000, probes = 1 } = options;
  const { seeds = firstSeeds(3), poolSize = 20_000, pilotSize = 2000 } = options;
  const pool = await uniformPool(poolSize + pilotSize, options);
  const rows = clusterCounts.map((k) => ({
    k,
    looseness: [] as number[],
    fixed: [] as number[],
    spent: [] as number[],
  }));
  for (const [i, seed] of seeds.entries()) {
    const pilot = await trainPilot(pool, pilotSize, {
      seed,
      training: PROTOCOL_TRAINING,
      signal: options.signal,
    });
    const losses = await allLosses(pool, pilot);
    const total = losses.reduce((sum, loss) => sum + loss, 0);
    for (const [j, row] of rows.entries()) {
      const run = partOf(options, `${row.k} clusters`, i * rows.length + j, seeds.length * rows.length);
      const { labels, centers } = await kMeans(pilot.embeddings, { k: row.k, seed, ...run });
      const select = async (perCluster: number) => {
        const { value } = await selectData(pilot.embeddings, {
          loss: (ids) => Float64Array.from(ids, (id) => losses[id]),
          size: FIXED_DRAWS,
          clustering: { labels, centers },
          probes: perCluster,
          seed,
          ...run,
        });
        return value;
      };
      // As many probes for every k, so that T is not drowned in the noise of few.
      const informed = await select(Math.max(4, Math.ceil(TOTAL_PROBES / row.k)));
      row.looseness.push(informed.total / total);
      row.fixed.push(Math.sqrt(exactVariance(losses, informed.model.probabilities, FIXED_DRAWS)) / total);
      const paid = await select(probes);
      const left = queryBudget - paid.queries;
      row.spent.push(
        left > 0 ? Math.sqrt(exactVariance(losses, paid.model.probabilities, left)) / total : Infinity,
      );
    }
  }
  const figures = rows.map(
    ({ k, looseness, fixed, spent }): ClusterCountFigures => ({
      k,
      looseness: measure(looseness),
      errorAtFixedDraws: measure(fixed),
      errorAtFixedQueries: spent.reduce((sum, error) => sum + error, 0) / spent.length,
    }),
  );
  return {
    id: 'X6',
    title: 'The number of clusters',
    setting: {
      dataset: pool.name,
      pool: poolSize,
      pilot: pilotSize,
      queryBudget,
      probes,
      draws: FIXED_DRAWS,
      seeds,
    },
    figures,
    verdicts: verdictsOf(figures),
  };
}

function verdictsOf(figures: readonly ClusterCountFigures[]) {
  // "Within noise": a rise of 5 % between neighbours is forgiven.
  const rise = Math.max(
    ...figures.slice(1).map(({ looseness }, i) => looseness.mean / figures[i].looseness.mean),
  );
  const errors = figures.map(({ errorAtFixedQueries }) => errorAtFixedQueries);
  const best = errors.indexOf(Math.min(...errors));
  return [
    judge('T/Σℓ falls with k', rise, { high: 1.05, unit: 'largest ratio of neighbours' }),
    judge(
      'with k paid from the budget, the best k is neither the least nor the most',
      Math.min(best, figures.length - 1 - best),
      { low: 1, unit: 'steps from the nearer end' },
    ),
  ];
}
