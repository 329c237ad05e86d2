// Protocol X2: accuracy after spending a labelling budget on a balanced pool, against the baselines.

import {
  firstSeeds,
  gainOf,
  judge,
  type Measured,
  type ProtocolOptions,
  type ProtocolReport,
  partOf,
} from '../../reproduce/protocol.ts';
import { type Arm, accuracies, spendBudget } from './active-selection.ts';
import { type PoolOptions, PROTOCOL_TRAINING, uniformPool } from './pool.ts';

export const ACCURACY_ARMS: readonly Arm[] = [
  { name: 'uniform', picker: { strategy: 'uniform' } },
  { name: 'sensitivity', picker: { mode: 'balanced' } },
  {
    name: 'sensitivity, weighted',
    picker: { mode: 'balanced' },
    weighting: 'importance',
  },
  { name: 'sensitivity, robust', picker: { mode: 'robust' } },
  { name: 'margin', picker: { strategy: 'margin' } },
  { name: 'entropy', picker: { strategy: 'entropy' } },
  { name: 'k-center', picker: { strategy: 'k-center' } },
  { name: 'top loss', picker: { strategy: 'top-loss' } },
];

export interface AccuracyOptions extends ProtocolOptions, PoolOptions {
  /** Default [500, 2000]. */
  budgets?: readonly number[] | undefined;
  /** Rows in the pool. Default 20 000. */
  poolSize?: number | undefined;
  /** Default `ACCURACY_ARMS`; the verdicts need uniform, sensitivity, k-center and top loss. */
  arms?: readonly Arm[] | undefined;
}

/** Test accuracy in per cent of one budget. */
export interface BudgetFigures {
  budget: number;
  accuracy: Record<string, Measured>;
  /** Accuracy minus that of uniform sampling, run by run, in points. */
  gain: Record<string, Measured>;
}

/** Default: 8 seeds. Time about 6 minutes on two busy cores. */
export async function reproduceAccuracy(
  options: AccuracyOptions = {},
): Promise<ProtocolReport<BudgetFigures[]>> {
  const { budgets = [500, 2000], seeds = firstSeeds(8), arms = ACCURACY_ARMS, poolSize = 20_000 } = options;
  const pool = await uniformPool(poolSize, options);
  const figures: BudgetFigures[] = [];
  for (const [b, budget] of budgets.entries()) {
    const runs = [];
    for (const [i, seed] of seeds.entries()) {
      const run = partOf(options, `budget ${budget}`, b * seeds.length + i, budgets.length * seeds.length);
      runs.push(await spendBudget(pool, { budget, arms, seed, training: PROTOCOL_TRAINING, ...run }));
    }
    const accuracy = accuracies(arms, runs);
    figures.push({ budget, accuracy, gain: gains(accuracy) });
  }
  return {
    id: 'X2',
    title: 'Accuracy after selecting training rows from a balanced pool',
    setting: { dataset: pool.name, pool: poolSize, pilotShare: 0.2, clustersPerRow: 0.2, seeds },
    figures,
    verdicts: figures.flatMap(verdictsOf),
  };
}

/** Gains over the arm "uniform". */
export function gains(accuracy: Record<string, Measured>): Record<string, Measured> {
  return Object.fromEntries(
    Object.entries(accuracy)
      .filter(([name]) => name !== 'uniform')
      .map(([name, measured]) => [name, gainOf(measured, accuracy.uniform)]),
  );
}

function verdictsOf({ budget, accuracy, gain }: BudgetFigures) {
  const { sensitivity, 'k-center': kCenter, 'top loss': topLoss } = accuracy;
  return [
    judge(`budget ${budget}: selection is not worse than uniform`, gain.sensitivity.mean, {
      low: -0.3,
      unit: 'points',
    }),
    judge(`budget ${budget}: selection beats k-center`, gainOf(sensitivity, kCenter).mean, {
      low: 2,
      unit: 'points',
    }),
    judge(`budget ${budget}: selection is far above top loss`, gainOf(sensitivity, topLoss).mean, {
      low: 10,
      unit: 'points',
    }),
  ];
}
