// Protocol P3: logistic models from soft labels.

import {
  firstSeeds,
  judge,
  type Measured,
  measure,
  type ProtocolOptions,
  type ProtocolReport,
  partOf,
} from '../../../reproduce/protocol.ts';
import { glmLearner, type PriorBoostOptions } from '../../index.ts';
import { boost, fitIndividual, fitRandom } from './arms.ts';
import { excessLogLoss, logisticProblem } from './problems.ts';

const SETTINGS: Record<string, Partial<PriorBoostOptions>> = {
  '2 stages, pool last': { stages: 2, pool: 'last' },
  '4 stages, pool without the random one': { stages: 4, pool: 'skip-random' },
};

/** Excess log-loss of an independent implementation, by bag size: random bags, and PriorBoost as named. */
const REFERENCE: Readonly<Record<number, { random: number; boosted: number; settings: string }>> = {
  2: { random: 0.0273, boosted: 4.5e-4, settings: '4 stages, pool without the random one' },
  8: { random: 0.0745, boosted: 0.0038, settings: '2 stages, pool last' },
  32: { random: 0.0886, boosted: 0.0162, settings: '2 stages, pool last' },
  128: { random: 0.0926, boosted: 0.04, settings: '2 stages, pool last' },
};

export interface LogisticProtocolOptions extends ProtocolOptions {
  /** Default 16 384. */
  rows?: number | undefined;
  /** Default 10. */
  columns?: number | undefined;
  /** Default [2, 8, 32, 128]. */
  bagSizes?: readonly number[] | undefined;
}

export interface LogisticFigures {
  bagSize: number;
  random: Measured;
  /** By name of the settings. */
  boosted: Record<string, Measured>;
  /** Of the independent implementation. */
  reference: { random: number; boosted: number; settings: string } | undefined;
}

export interface LogisticReport {
  single: Measured;
  sizes: LogisticFigures[];
}

/**
 * Responses 1 with probability σ(⟨x, θ⟩), ‖θ‖ = 1, x ~ N(0, I); instance-level logistic fits; excess of the expected log-loss over the least.
 *
 * Default: 6 seeds. About 20 s on two busy cores.
 */
export async function reproduceLogistic(
  options: LogisticProtocolOptions = {},
): Promise<ProtocolReport<LogisticReport>> {
  const { rows = 16_384, columns = 10, bagSizes = [2, 8, 32, 128], seeds = firstSeeds(6) } = options;
  const learner = glmLearner('logistic');
  const single: number[] = [];
  const random = bagSizes.map((): number[] => []);
  const boosted = bagSizes.map(() => new Map(Object.keys(SETTINGS).map((name) => [name, [] as number[]])));
  for (const [i, seed] of seeds.entries()) {
    const problem = logisticProblem({ rows, columns, seed }, 1);
    const { features, responses } = problem;
    const inputOf = (bagSize: number) => ({ features, responses, learner, bagSize, seed });
    single.push(excessLogLoss(await fitIndividual(inputOf(1)), problem));
    for (const [j, bagSize] of bagSizes.entries()) {
      partOf(options, 'logistic', i * bagSizes.length + j, seeds.length * bagSizes.length);
      const input = inputOf(bagSize);
      random[j].push(excessLogLoss(await fitRandom(input, 1), problem));
      for (const [name, settings] of Object.entries(SETTINGS)) {
        const { model } = await boost(input, { ...settings, signal: options.signal });
        boosted[j].get(name)!.push(excessLogLoss(model, problem));
      }
    }
  }
  const figures: LogisticReport = {
    single: measure(single),
    sizes: bagSizes.map((bagSize, j) => ({
      bagSize,
      random: measure(random[j]),
      boosted: Object.fromEntries([...boosted[j]].map(([name, values]) => [name, measure(values)])),
      reference: REFERENCE[bagSize],
    })),
  };
  const recovered = figures.sizes.map(({ random: from, boosted: by }) => {
    const best = Math.min(...Object.values(by).map(({ mean }) => mean));
    return (from.mean - best) / (from.mean - figures.single.mean);
  });
  const last = bagSizes.length - 1;
  return {
    id: 'P3',
    title: 'Logistic models',
    setting: { rows, columns, bagSizes, seeds },
    figures,
    verdicts: [
      judge(
        `k = ${bagSizes[0]}: PriorBoost recovers nearly all that random bags lose to single labels`,
        recovered[0],
        { low: 0.95, unit: 'share of the gap' },
      ),
      judge(`k = ${bagSizes[last]}: and a third of it`, recovered[last], {
        low: 0.33,
        unit: 'share of the gap',
      }),
      judge(
        `the gap that is left grows with k, from ${bagSizes[0]} to ${bagSizes[last]}`,
        (1 - recovered[last]) / (1 - recovered[0]),
        { low: 2, unit: 'ratio' },
      ),
    ],
  };
}
