// Protocol X2b: a long-tailed pool, where choosing rows by loss and distance pays most. Also the tour's station.

import type { Certificate, Certified } from '../../core/certificate.ts';
import { createRng } from '../../core/rng.ts';
import type { Interval } from '../../core/statistics/index.ts';
import {
  firstSeeds,
  gainOf,
  judge,
  type ProtocolOptions,
  type ProtocolReport,
  partOf,
} from '../../reproduce/protocol.ts';
import { auditSelection, drawSample, estimateMean, type Selection } from '../index.ts';
import { type BudgetFigures, gains } from './accuracy.ts';
import { type Arm, accuracies, type BudgetRun, meanClassCounts, spendBudget } from './active-selection.ts';
import {
  allLosses,
  candidateLosses,
  longTailPool,
  type Pilot,
  type Pool,
  type PoolOptions,
  PROTOCOL_TRAINING,
} from './pool.ts';

/** What the tour shows: uniform sampling against selection. */
export const LONG_TAIL_ARMS: readonly Arm[] = [
  { name: 'uniform', picker: { strategy: 'uniform' } },
  { name: 'sensitivity', picker: { mode: 'balanced' } },
];

/** What `reproduce` shows. */
export const LONG_TAIL_ALL_ARMS: readonly Arm[] = [
  ...LONG_TAIL_ARMS,
  {
    name: 'sensitivity, weighted',
    picker: { mode: 'balanced' },
    weighting: 'importance',
  },
  { name: 'sensitivity, robust', picker: { mode: 'robust' } },
  { name: 'margin', picker: { strategy: 'margin' } },
  { name: 'k-center', picker: { strategy: 'k-center' } },
];

export interface LongTailOptions extends ProtocolOptions, PoolOptions {
  /** Rows that may be labelled, the pilot's 20 % included. Default [500]. */
  budgets?: readonly number[] | undefined;
  /** Must contain "uniform" and "sensitivity". Default `LONG_TAIL_ARMS`. */
  arms?: readonly Arm[] | undefined;
  /** Rows of the largest class; the smallest has 1/50 of them. Default 4000. */
  head?: number | undefined;
  /** Confidence of the intervals of the mean loss. Default 0.95. */
  confidence?: number | undefined;
  /** Samples drawn anew per run to measure how often intervals hold. Default 100. */
  redraws?: number | undefined;
}

/** The pilot's mean loss over all candidates, told from the rows that were selected for training. */
export interface MeanLossEstimate {
  seed: number;
  /** Nats. */
  estimate: number;
  standardError: number;
  interval: Interval;
  /** Mean over all candidates, computed for the audit only. */
  exact: number;
  /** Whether the interval holds `exact`. */
  covered: boolean;
  /** Share of `redraws` further samples from the same probabilities whose interval holds `exact`; NaN without redraws. */
  coverage: number;
  /** Losses looked at, and rows they speak for. */
  losses: number;
  rows: number;
  /** Certificate of the selection, with the error of its total loss measured on all candidates. */
  certificate: Certificate;
}

export interface LongTailFigures extends BudgetFigures {
  /** Mean number of rows of each class trained on, by arm. */
  classCounts: Record<string, number[]>;
  /** One per seed, from the arm "sensitivity". */
  meanLoss: MeanLossEstimate[];
}

/** Rows of each class in the pool, and the figures of each budget. */
export interface LongTailReport {
  poolClassCounts: number[];
  classNames: readonly string[];
  budgets: LongTailFigures[];
}

/**
 * Class c of the pool keeps 4000 · (1/50)^(c/9) rows; the test set is balanced. Selection: mode `balanced`, 20 % uniform
 * floor, exactly as many rows as asked without repeats, trained on without weights.
 *
 * Default: budget 500, 8 seeds, two arms: about half a minute on two busy cores; all arms and two budgets: 5 minutes.
 */
export async function reproduceLongTail(
  options: LongTailOptions = {},
): Promise<ProtocolReport<LongTailReport>> {
  const { budgets = [500], seeds = firstSeeds(8), arms = LONG_TAIL_ARMS } = options;
  const { confidence = 0.95, redraws = 100 } = options;
  const pool = await longTailPool(options);
  const figures: LongTailFigures[] = [];
  for (const [b, budget] of budgets.entries()) {
    const runs: BudgetRun[] = [];
    const meanLoss: MeanLossEstimate[] = [];
    for (const [i, seed] of seeds.entries()) {
      const part = partOf(
        options,
        `long tail, budget ${budget}`,
        b * seeds.length + i,
        budgets.length * seeds.length,
      );
      const run = await spendBudget(pool, { budget, arms, seed, training: PROTOCOL_TRAINING, ...part });
      runs.push(run);
      const { certified } = run.choices.sensitivity;
      if (certified) {
        meanLoss.push(await auditMeanLoss(pool, run.pilot, certified, { seed, confidence, redraws }));
      }
    }
    const accuracy = accuracies(arms, runs);
    figures.push({
      budget,
      accuracy,
      gain: gains(accuracy),
      classCounts: meanClassCounts(arms, runs),
      meanLoss,
    });
  }
  const poolClassCounts = new Array<number>(pool.classes).fill(0);
  for (const label of pool.rows.labels) poolClassCounts[label]++;
  return {
    id: 'X2b',
    title: 'Accuracy after selecting training rows from a long-tailed pool',
    setting: {
      dataset: pool.name,
      pool: pool.rows.labels.length,
      pilotShare: 0.2,
      clustersPerRow: 0.2,
      seeds,
    },
    figures: { poolClassCounts, classNames: pool.classNames, budgets: figures },
    verdicts: figures.flatMap((figure) => verdictsOf(figure, confidence)),
  };
}

/** Estimates the mean loss from the selected rows alone, then computes it from all and draws the sample anew. */
async function auditMeanLoss(
  pool: Pool,
  pilot: Pilot,
  certified: Certified<Selection>,
  { seed, confidence, redraws }: { seed: number; confidence: number; redraws: number },
): Promise<MeanLossEstimate> {
  const selection = certified.value;
  const seen = await candidateLosses(pool, pilot, selection.ids);
  const { value, standardError, interval } = estimateMean(selection, seen, { confidence, seed });
  const all = await allLosses(pool, pilot);
  const exact = all.reduce((sum, loss) => sum + loss, 0) / all.length;
  const holds = ({ low, high }: Interval) => low <= exact && exact <= high;
  const seeds = createRng(seed).fork('redraws');
  let covered = 0;
  for (let r = 0; r < redraws; r++) {
    const sample = drawSample(selection.model.probabilities, {
      size: selection.ids.length,
      scheme: selection.scheme,
      seed: seeds.uint32(),
    });
    const losses = Float64Array.from(sample.ids, (id) => all[id]);
    if (holds(estimateMean(sample, losses, { confidence, interval: 't' }).interval)) covered++;
  }
  return {
    seed,
    estimate: value,
    standardError,
    interval,
    exact,
    covered: holds(interval),
    coverage: redraws > 0 ? covered / redraws : Number.NaN,
    losses: selection.ids.length + selection.queries,
    rows: all.length,
    certificate: auditSelection(certified, all).certificate,
  };
}

function verdictsOf({ budget, accuracy, meanLoss }: LongTailFigures, confidence: number) {
  const gain = gainOf(accuracy.sensitivity, accuracy.uniform);
  const coverage = meanLoss.reduce((sum, run) => sum + run.coverage, 0) / meanLoss.length;
  return [
    // 4 points are claimed at 500; the gain shrinks as the budget grows, and no figure is promised there.
    judge(`budget ${budget}: selection beats uniform sampling`, gain.mean, {
      low: budget <= 500 ? 4 : 0,
      unit: 'points',
    }),
    judge(
      `budget ${budget}: intervals of the mean loss hold as often as they say`,
      coverage,
      // Losses are skewed and the variance is estimated: 91 % is accepted for 95.
      { low: confidence - 0.04, unit: 'share of samples' },
    ),
  ];
}
