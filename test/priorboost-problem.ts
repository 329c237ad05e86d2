// For tests of PriorBoost: a linear problem, and a query that answers from its labels.

import { type Bags, bagMeans } from '../src/aggregate/bags/bags.ts';
import { linearLearner } from '../src/aggregate/models/learners.ts';
import { linearModel } from '../src/aggregate/models/linear-model.ts';
import type { PriorBoostResult } from '../src/aggregate/priorboost/finish.ts';
import { type PriorBoostOptions, priorBoost } from '../src/aggregate/priorboost/prior-boost.ts';
import type { AggregateModel, BagQuery, Learner } from '../src/aggregate/types.ts';
import type { Certified } from '../src/core/certificate.ts';
import type { Matrix64 } from '../src/core/matrix.ts';
import { createRng } from '../src/core/rng.ts';

export interface Problem {
  features: Matrix64;
  theta: Float64Array;
  truth: Float64Array;
  responses: Float64Array;
}

/** y = ⟨x, θ⟩ + 0.5 ε with x and ε standard normal, ‖θ‖ = 1. */
export function linearProblem(n: number, d: number, seed: number): Problem {
  const rng = createRng(seed);
  const theta = Float64Array.from({ length: d }, () => rng.normal());
  const length = Math.hypot(...theta);
  for (let j = 0; j < d; j++) theta[j] /= length;
  const data = Float64Array.from({ length: n * d }, () => rng.normal());
  const truth = new Float64Array(n);
  for (let i = 0; i < n; i++) for (let j = 0; j < d; j++) truth[i] += data[i * d + j] * theta[j];
  const responses = truth.map((mean) => mean + 0.5 * rng.normal());
  return { features: { data, rows: n, cols: d }, theta, truth, responses };
}

/** A query that answers from labels and counts how often each was read. */
export function countingQuery(responses: Float64Array): {
  query: BagQuery;
  reads: Uint32Array;
  asked: { bags: Bags; stage: string }[];
} {
  const reads = new Uint32Array(responses.length);
  const asked: { bags: Bags; stage: string }[] = [];
  const query: BagQuery = async (bags, stage) => {
    asked.push({ bags, stage });
    for (const sample of bags.members) reads[sample]++;
    return { means: bagMeans(responses, bags) };
  };
  return { query, reads, asked };
}

export const plain: Learner = linearLearner({ intercept: false });
export const coefficientsOf = (model: AggregateModel): number[] => model.toJSON().coefficients as number[];
export const truthOf = ({ theta }: Problem): AggregateModel =>
  linearModel({ coefficients: theta, center: new Float64Array(theta.length), level: 0 });

export const problem: Problem = linearProblem(600, 4, 1);
export const base: { learner: Learner; bagSize: number; bagger: 'chunk' } = {
  learner: plain,
  bagSize: 5,
  bagger: 'chunk',
};
export const run = (
  options: Partial<PriorBoostOptions> = {},
  responses: Float64Array = problem.responses,
): Promise<Certified<PriorBoostResult>> =>
  priorBoost({ ...base, features: problem.features, query: countingQuery(responses).query, ...options });
export const squaredError = (model: AggregateModel, { theta }: Problem): number =>
  coefficientsOf(model).reduce((sum, value, j) => sum + (value - theta[j]) ** 2, 0);
