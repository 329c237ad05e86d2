// Protocol P2: how many stages.

import {
  firstSeeds,
  judge,
  type Measured,
  measure,
  type ProtocolOptions,
  type ProtocolReport,
  partOf,
} from '../../../reproduce/protocol.ts';
import { linearLearner, type PriorBoostOptions } from '../../index.ts';
import { boost, fitIndividual } from './arms.ts';
import { coefficientError, linearProblem } from './problems.ts';

const SETTINGS: Record<string, Partial<PriorBoostOptions>> = {
  'pool last, prior ρ = 1': { pool: 'last', priorRho: 1, finalRho: 1 },
  'pool last, prior ρ = 0.05': {
    ...{ pool: 'last', priorPool: 'all' },
    ...{ priorRho: 0.05, finalRho: 1 },
  },
  'pool all, prior ρ = 0.05, last ρ = 0.03': { pool: 'all', priorRho: 0.05, finalRho: 0.03 },
};

/** Figures of an independent implementation for 2, 4 and 8 stages, at the default sizes. */
const REFERENCE: Record<string, readonly number[]> = {
  'pool last, prior ρ = 1': [0.0166, 0.0197, 0.0162],
  'pool last, prior ρ = 0.05': [0.0048, 0.003, 0.0024],
  'pool all, prior ρ = 0.05, last ρ = 0.03': [0.0031, 0.0026, 0.0021],
};

export interface StageCountOptions extends ProtocolOptions {
  /** Default 16 384. */
  rows?: number | undefined;
  /** Default 20. */
  columns?: number | undefined;
  /** Default 8. */
  bagSize?: number | undefined;
  /** Default [2, 4, 8]. */
  stages?: readonly number[] | undefined;
}

export interface StageCountFigures {
  settings: string;
  /** ‖θ̂ − θ‖² with so many stages, shape (stages,). */
  error: Measured[];
  /** The independent implementation's means for 2, 4 and 8 stages. */
  reference: readonly number[];
}

export interface StageCountReport {
  settings: StageCountFigures[];
  single: Measured;
}

/** As P1, with more rows and columns. Default: 8 seeds. About 8 s on two busy cores. */
export async function reproduceStageCounts(
  options: StageCountOptions = {},
): Promise<ProtocolReport<StageCountReport>> {
  const { rows = 16_384, columns = 20, bagSize = 8, stages = [2, 4, 8], seeds = firstSeeds(8) } = options;
  const learner = linearLearner({ intercept: false });
  const errors = Object.keys(SETTINGS).map(() => stages.map((): number[] => []));
  const single: number[] = [];
  for (const [i, seed] of seeds.entries()) {
    const problem = linearProblem({ rows, columns, seed });
    const { features, responses } = problem;
    const input = { features, responses, learner, bagSize, seed };
    single.push(coefficientError(await fitIndividual(input), problem));
    for (const [s, settings] of Object.values(SETTINGS).entries()) {
      for (const [j, count] of stages.entries()) {
        partOf(options, 'stages', i, seeds.length);
        const { model } = await boost(input, { ...settings, stages: count, signal: options.signal });
        errors[s][j].push(coefficientError(model, problem));
      }
    }
  }
  const figures: StageCountReport = {
    settings: Object.keys(SETTINGS).map((name, s) => ({
      settings: name,
      error: errors[s].map(measure),
      reference: REFERENCE[name],
    })),
    single: measure(single),
  };
  const [paper, lean, pooled] = figures.settings.map(({ error }) => error);
  const last = stages.length - 1;
  const worst = (a: readonly Measured[], b: readonly Measured[]) =>
    Math.max(...a.map(({ mean }, j) => mean / b[j].mean));
  return {
    id: 'P2',
    title: 'How many stages',
    setting: { rows, columns, bagSize, stages, noise: 0.5, seeds },
    figures,
    verdicts: [
      judge('priors of ρ = 0.05 beat priors of ρ = 1, at any number of stages', worst(lean, paper), {
        high: 0.7,
        unit: 'ratio of errors',
      }),
      judge('with them, pooling all bags at a small last ρ beats the last bags alone', worst(pooled, lean), {
        high: 1.1,
        unit: 'ratio of errors',
      }),
      judge(`with them, ${stages[last]} stages beat ${stages[0]}`, lean[last].mean / lean[0].mean, {
        high: 0.8,
        unit: 'ratio of errors',
      }),
    ],
  };
}
