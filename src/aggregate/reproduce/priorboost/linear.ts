// Protocol P1: linear models from random and from sorted bags, against single labels.

import {
  firstSeeds,
  judge,
  type Measured,
  measure,
  type ProtocolOptions,
  type ProtocolReport,
  partOf,
  type Verdict,
} from '../../../reproduce/protocol.ts';
import { linearLearner, type PriorBoostOptions } from '../../index.ts';
import { type ArmInput, boost, fitIndividual, fitOracle, fitRandom } from './arms.ts';
import { coefficientError, linearProblem } from './problems.ts';

/** Two-stage runs of PriorBoost, by name. */
const BOOSTED: Record<string, Partial<PriorBoostOptions>> = {
  'pool last, prior ρ = 1': { pool: 'last', priorRho: 1, finalRho: 1 },
  'pool all, prior ρ = 1': { pool: 'all', priorRho: 1, finalRho: 1 },
  'pool last, prior ρ = 0': { pool: 'last', priorRho: 0, finalRho: 1 },
  'pool all, prior ρ = 0, last ρ = 0.03': { pool: 'all', priorRho: 0, finalRho: 0.03 },
  'preset best': { preset: 'best' },
};

/** Figures of an independent implementation, at 8192 rows and 10 columns; [k = 8, k = 64]. */
const REFERENCE: Record<string, readonly [number, number]> = {
  'single labels': [3.3e-4, 3.3e-4],
  'sorted by the truth': [5.0e-5, 2.2e-5],
  'random, ρ = 1': [0.769, 0.97],
  'random, ρ = 0': [0.002, 0.0266],
  'pool last, prior ρ = 1': [0.0126, 0.136],
  'pool all, prior ρ = 1': [0.194, 0.34],
  'pool last, prior ρ = 0': [0.0038, 0.0348],
  'pool all, prior ρ = 0, last ρ = 0.03': [0.0031, 0.0284],
};

export interface LinearProtocolOptions extends ProtocolOptions {
  /** Default 8192. */
  rows?: number | undefined;
  /** Default 10. */
  columns?: number | undefined;
  /** Default [2, 4, 8, 16, 32, 64]. */
  bagSizes?: readonly number[] | undefined;
}

export interface LinearFigures {
  method: string;
  /** ‖θ̂ − θ‖² with bags of each size, shape (bag sizes,). */
  error: Measured[];
  /** The independent implementation's mean at k = 8 and 64, when it has one. */
  reference: readonly [number, number] | undefined;
}

export interface LinearReport {
  methods: LinearFigures[];
  /** Within-bag sum of squares of the true means ÷ their spread, of the random first and the sorted second stage, for each bag size. */
  within: { first: Measured; second: Measured }[];
}

/**
 * Responses ⟨x, θ⟩ + 0.5 ε, ‖θ‖ = 1, x ~ N(0, I); linear fits without intercept; bags of equal size; two equal stages.
 *
 * Default: 8 seeds. About 12 s on two busy cores.
 */
export async function reproduceLinear(
  options: LinearProtocolOptions = {},
): Promise<ProtocolReport<LinearReport>> {
  const { rows = 8192, columns = 10, bagSizes = [2, 4, 8, 16, 32, 64], seeds = firstSeeds(8) } = options;
  const learner = linearLearner({ intercept: false });
  const errors = new Map(
    ['single labels', 'sorted by the truth', 'random, ρ = 1', 'random, ρ = 0', ...Object.keys(BOOSTED)].map(
      (name) => [name, bagSizes.map((): number[] => [])],
    ),
  );
  const within = bagSizes.map(() => ({ first: [] as number[], second: [] as number[] }));
  for (const [i, seed] of seeds.entries()) {
    const problem = linearProblem({ rows, columns, seed });
    const { features, responses, truth } = problem;
    for (const [j, bagSize] of bagSizes.entries()) {
      partOf(options, 'linear', i * bagSizes.length + j, seeds.length * bagSizes.length);
      const input: ArmInput = { features, responses, learner, bagSize, seed };
      const add = (name: string, model: Parameters<typeof coefficientError>[0]) =>
        errors.get(name)![j].push(coefficientError(model, problem));
      add('single labels', await fitIndividual(input));
      add('sorted by the truth', await fitOracle(input, truth));
      add('random, ρ = 1', await fitRandom(input, 1));
      add('random, ρ = 0', await fitRandom(input, 0));
      for (const [name, settings] of Object.entries(BOOSTED)) {
        const result = await boost(input, { stages: 2, truth, signal: options.signal, ...settings });
        add(name, result.model);
        if (name !== 'pool last, prior ρ = 1') continue;
        within[j].first.push(result.diagnostics[0].truthWithin!.share);
        within[j].second.push(result.diagnostics[1].truthWithin!.share);
      }
    }
  }
  const figures: LinearReport = {
    methods: [...errors].map(([method, values]) => ({
      method,
      error: values.map(measure),
      reference: REFERENCE[method],
    })),
    within: within.map(({ first, second }) => ({ first: measure(first), second: measure(second) })),
  };
  return {
    id: 'P1',
    title: 'Linear models: random bags, sorted bags, single labels',
    setting: { rows, columns, bagSizes, noise: 0.5, stages: 2, seeds },
    figures,
    verdicts: verdictsOf(figures, bagSizes),
  };
}

function verdictsOf({ methods, within }: LinearReport, bagSizes: readonly number[]): Verdict[] {
  const at = (name: string, j: number) => methods.find(({ method }) => method === name)!.error[j].mean;
  const last = bagSizes.length - 1;
  const eight = bagSizes.indexOf(8);
  const single = at('single labels', 0);
  const paper = 'pool last, prior ρ = 1';
  const law = bagSizes.map((k, j) => at('random, ρ = 1', j) / ((k - 1) / k) ** 2);
  const oracle = bagSizes.map((_, j) => at('sorted by the truth', j) / single);
  return [
    judge(
      'random bags at ρ = 1: the error follows ((k−1)/k)², farthest from it',
      law.reduce((a, b) => (Math.abs(Math.log(b)) > Math.abs(Math.log(a)) ? b : a)),
      { low: 0.9, high: 1.1, unit: 'ratio' },
    ),
    judge('bags sorted by the truth are no worse than single labels, at the worst k', Math.max(...oracle), {
      high: 1,
      unit: 'ratio of errors',
    }),
    ...(last === 0
      ? []
      : [
          judge(
            `the error of two-stage PriorBoost grows with k, from ${bagSizes[0]} to ${bagSizes[last]}`,
            at(paper, last) / at(paper, 0),
            { low: 2, unit: 'ratio of errors' },
          ),
        ]),
    ...(eight < 0
      ? []
      : [
          judge(
            'k = 8: two-stage PriorBoost beats random bags, both at ρ = 1',
            at('random, ρ = 1', eight) / at(paper, eight),
            { low: 25, unit: 'ratio of errors' },
          ),
          judge(
            'k = 8: and by more with a bag-level prior',
            at('random, ρ = 1', eight) / at('pool last, prior ρ = 0', eight),
            { low: 100, unit: 'ratio of errors' },
          ),
          judge('k = 8: bags sorted by the truth halve the error of single labels', oracle[eight], {
            high: 0.5,
            unit: 'ratio of errors',
          }),
          judge(
            'k = 8: sorting takes the spread of the true means out of the bags',
            1 - within[eight].second.mean / within[eight].first.mean,
            { low: 0.8, unit: 'share' },
          ),
          judge(
            'k = 8: the bag-level loss on random bags beats PriorBoost at ρ = 1, as it must with many bags',
            at('random, ρ = 0', eight) / at(paper, eight),
            { high: 1, unit: 'ratio of errors' },
          ),
        ]),
  ];
}
