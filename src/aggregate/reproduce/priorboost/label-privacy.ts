// Protocol P4: the same under label differential privacy, where the quality of the prior is everything.

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
import { linearLearner } from '../../index.ts';
import { type ArmInput, boost, fitIndividual, fitOracle, fitRandom } from './arms.ts';
import { coefficientError, linearProblem, type Problem } from './problems.ts';

const METHODS = [
  'random, ρ = 1',
  'random, ρ = 0',
  'two stages, pool last, prior ρ = 1',
  'preset best',
  'prior from elsewhere',
  'sorted by the truth',
] as const;
export type PrivateMethod = (typeof METHODS)[number];

/** Figures of an independent implementation, by bag size. */
const REFERENCE: Partial<Record<PrivateMethod, Readonly<Record<number, number>>>> = {
  'random, ρ = 1': { 8: 0.767, 64: 0.971 },
  'two stages, pool last, prior ρ = 1': { 1: 0.176, 2: 0.1, 4: 0.1, 8: 0.1, 64: 0.228 },
  'sorted by the truth': { 1: 0.08, 8: 0.0026, 64: 0.00026 },
};

export interface LabelPrivacyOptions extends ProtocolOptions {
  /** Default 8192. */
  rows?: number | undefined;
  /** Default 10. */
  columns?: number | undefined;
  /** Default [1, 2, 4, 8, 16, 32, 64]. */
  bagSizes?: readonly number[] | undefined;
  /** ε of each stage, and so of the run. Default 1. */
  epsilon?: number | undefined;
  /** Rows with open labels that the prior from elsewhere was fitted to. Default 200. */
  priorRows?: number | undefined;
}

export interface LabelPrivacyFigures {
  method: PrivateMethod;
  /** ‖θ̂ − θ‖² with bags of each size, shape (bag sizes,). */
  error: Measured[];
  /** Of the independent implementation, where it has one; shape (bag sizes,). */
  reference: (number | undefined)[];
}

export interface LabelPrivacyReport {
  methods: LabelPrivacyFigures[];
  /** Every label with noise of its own: bags of one. */
  single: Measured;
  /** Of the prior from elsewhere itself. */
  prior: Measured;
}

/**
 * As P1, with answers of ε-label-DP by simulated noise; labels are clipped to ±3.
 *
 * Default: 10 seeds. About 30 s on two busy cores.
 */
export async function reproduceLabelPrivacy(
  options: LabelPrivacyOptions = {},
): Promise<ProtocolReport<LabelPrivacyReport>> {
  const { rows = 8192, columns = 10, bagSizes = [1, 2, 4, 8, 16, 32, 64], epsilon = 1 } = options;
  const { seeds = firstSeeds(10), priorRows = 200 } = options;
  const learner = linearLearner({ intercept: false });
  const privacy = { bounds: [-3, 3] as const, epsilon };
  const errors = new Map(METHODS.map((name) => [name, bagSizes.map((): number[] => [])]));
  const single: number[] = [];
  const priors: number[] = [];
  for (const [i, seed] of seeds.entries()) {
    const problem = linearProblem({ rows: rows + priorRows, columns, seed });
    const [earlier, own] = [firstRows(problem, priorRows), rowsFrom(problem, priorRows)];
    const open = { ...earlier, learner, bagSize: 1, seed };
    const prior = await fitIndividual(open);
    priors.push(coefficientError(prior, problem));
    const { features, responses, truth } = own;
    const base: ArmInput = { features, responses, learner, bagSize: 1, seed, privacy };
    single.push(coefficientError(await fitIndividual(base), problem));
    for (const [j, bagSize] of bagSizes.entries()) {
      partOf(options, 'label privacy', i * bagSizes.length + j, seeds.length * bagSizes.length);
      const input = { ...base, bagSize };
      const run = { signal: options.signal };
      const models = {
        'random, ρ = 1': fitRandom(input, 1),
        'random, ρ = 0': fitRandom(input, 0),
        'two stages, pool last, prior ρ = 1': boost(input, { ...run, stages: 2 }),
        'preset best': boost(input, { ...run, stages: 2, preset: 'best' }),
        'prior from elsewhere': boost(input, { ...run, stages: 1, prior }),
        'sorted by the truth': fitOracle(input, truth),
      };
      for (const method of METHODS) {
        const fitted = await models[method];
        errors.get(method)![j].push(coefficientError('model' in fitted ? fitted.model : fitted, problem));
      }
    }
  }
  const figures: LabelPrivacyReport = {
    methods: METHODS.map((method) => ({
      method,
      error: errors.get(method)!.map(measure),
      reference: bagSizes.map((k) => REFERENCE[method]?.[k]),
    })),
    single: measure(single),
    prior: measure(priors),
  };
  return {
    id: 'P4',
    title: 'Under label differential privacy',
    setting: { rows, columns, bagSizes, epsilon, bounds: '±3', priorRows, noise: 0.5, seeds },
    figures,
    verdicts: verdictsOf(figures, bagSizes),
  };
}

function verdictsOf({ methods, single }: LabelPrivacyReport, bagSizes: readonly number[]): Verdict[] {
  const means = (name: PrivateMethod) =>
    methods.find(({ method }) => method === name)!.error.map(({ mean }) => mean);
  const last = bagSizes.length - 1;
  const oracle = means('sorted by the truth');
  const steps = oracle.slice(1).map((error, j) => error / oracle[j]);
  const own = means('two stages, pool last, prior ρ = 1');
  const least = Math.min(...own);
  const outside = Math.min(...means('prior from elsewhere'));
  return [
    judge(
      'sorted by the truth, the error falls with every larger bag; the flattest step',
      Math.max(...steps),
      { high: 1, unit: 'ratio of errors' },
    ),
    judge(
      'with a prior trained under the noise, the best bags are neither the smallest nor the largest',
      Math.min(own[0], own[last]) / least,
      { low: 1.2, unit: 'ratio of errors' },
    ),
    judge('such a prior brings about what noise on single labels gives, no more', least / single.mean, {
      low: 0.5,
      high: 3,
      unit: 'ratio of errors',
    }),
    judge('a prior from elsewhere beats noise on single labels', single.mean / outside, {
      low: 3,
      unit: 'ratio of errors',
    }),
  ];
}

function firstRows({ features, responses }: Problem, count: number) {
  const { data, cols } = features;
  return {
    features: { data: data.slice(0, count * cols), rows: count, cols },
    responses: responses.slice(0, count),
  };
}

function rowsFrom({ features, responses, truth }: Problem, start: number) {
  const { data, rows, cols } = features;
  return {
    features: { data: data.slice(start * cols), rows: rows - start, cols },
    responses: responses.slice(start),
    truth: truth.slice(start),
  };
}
