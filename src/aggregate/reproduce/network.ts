// Protocol A5: a network of four layers on Boston house prices, from means of large bags.

import { loadBoston } from '../../data/datasets/index.ts';
import {
  firstSeeds,
  judge,
  type Measured,
  measure,
  type ProtocolOptions,
  type ProtocolReport,
  partOf,
} from '../../reproduce/protocol.ts';
import { mlpLearner } from '../mlp/index.ts';
import { errorOfMean, randomBagData, splitTable, testError } from './test-error.ts';

export interface NetworkOptions extends ProtocolOptions {
  /** Default [20, 40, 80]. */
  bagSizes?: readonly number[];
  /** Default [0, 0.003, 0.01, 0.25, 0.5, 0.75, 1]: what the paper varies, and the small values where the best ones lie. */
  rhos?: readonly number[];
  /** Passes over the bags. Default 300. */
  epochs?: number;
}

export interface NetworkFigures {
  /** Mean squared test errors, 1000 $ squared. */
  individual: Measured;
  mean: Measured;
  bySize: {
    bagSize: number;
    errors: { rho: number; error: Measured }[];
    /** The ρ of least mean error. */
    bestRho: number;
  }[];
}

const HIDDEN = [64, 64, 64];

/**
 * For each seed a split, bags and initial values; for each bag size and ρ a network, and one from individual labels.
 *
 * Default: ten seeds, 220 networks, about 6 minutes on one core.
 * @throws {MissingDependencyError} the table or jax-js is not installed
 */
export async function reproduceNetwork(
  options: NetworkOptions = {},
): Promise<ProtocolReport<NetworkFigures>> {
  const { bagSizes = [20, 40, 80], rhos = [0, 0.003, 0.01, 0.25, 0.5, 0.75, 1], epochs = 300 } = options;
  const { seeds = firstSeeds(10) } = options;
  const table = await loadBoston();
  const learner = mlpLearner({ hidden: HIDDEN, epochs });
  const individual: number[] = [];
  const mean: number[] = [];
  const errors = bagSizes.map(() => rhos.map((): number[] => []));
  const total = seeds.length * (bagSizes.length * rhos.length + 1);
  let done = 0;
  for (const seed of seeds) {
    const split = splitTable(table, seed);
    mean.push(errorOfMean(split));
    const train = async (bagSize: number, rho: number) => {
      const part = partOf(options, 'networks', done++, total);
      return testError(await learner.fit(randomBagData(split, bagSize, seed), { rho, seed, ...part }), split);
    };
    individual.push(await train(1, 0));
    for (const [i, bagSize] of bagSizes.entries()) {
      for (const [j, rho] of rhos.entries()) errors[i][j].push(await train(bagSize, rho));
    }
  }
  const bySize = bagSizes.map((bagSize, i) => {
    const row = rhos.map((rho, j) => ({ rho, error: measure(errors[i][j]) }));
    const best = row.reduce((a, b) => (b.error.mean < a.error.mean ? b : a));
    return { bagSize, errors: row, bestRho: best.rho };
  });
  const figures = { individual: measure(individual), mean: measure(mean), bySize };
  const steps = bySize
    .slice(1)
    .map(({ bestRho }, i) => rhos.indexOf(bestRho) - rhos.indexOf(bySize[i].bestRho));
  const leastError = (i: number) => Math.min(...bySize[i].errors.map(({ error }) => error.mean));
  return {
    id: 'A5',
    title: 'Boston house prices: networks from bags',
    setting: { dataset: table.name, hidden: HIDDEN, epochs, bagSizes, rhos, seeds },
    figures,
    verdicts: [
      judge(
        'the best ρ does not fall with the bag size by more than a step of the grid',
        Math.min(...steps),
        {
          low: -1,
          unit: 'steps',
        },
      ),
      judge('the least error grows with the bag size', leastError(bySize.length - 1) / leastError(0), {
        low: 1,
        unit: 'ratio of errors',
      }),
      judge('smallest bags, best ρ: better than predicting the mean', leastError(0) / figures.mean.mean, {
        high: 0.95,
        unit: 'ratio of errors',
      }),
      judge(
        `bags of ${bagSizes[bagSizes.length - 1]}: some ρ between beats both ends`,
        betweenEnds(bySize[bySize.length - 1].errors),
        { high: 1, unit: 'ratio of errors' },
      ),
    ],
  };
}

/** Least error at an inner ρ ÷ the lesser of those at the ends. */
function betweenEnds(errors: NetworkFigures['bySize'][number]['errors']): number {
  const means = errors.map(({ error }) => error.mean);
  return Math.min(...means.slice(1, -1)) / Math.min(means[0], means[means.length - 1]);
}
