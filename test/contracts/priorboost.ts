// How the contract suite calls PriorBoost: a linear table, answered exactly.

import { linearLearner, localBagQuery, priorBoost } from '../../src/aggregate/index.ts';
import type { Matrix64 } from '../../src/core/matrix.ts';
import { createRng } from '../../src/core/rng.ts';
import type { SystemContract } from '../contract.ts';

interface BoostInput {
  features: Matrix64;
  responses: Float64Array;
  bagSize: number;
  stages: number;
}

function table(rows: number, cols: number): Pick<BoostInput, 'features' | 'responses'> {
  const rng = createRng(4);
  const data = Float64Array.from({ length: rows * cols }, () => rng.normal());
  const responses = Float64Array.from({ length: rows }, (_, i) => data[i * cols] + 0.5 * rng.normal());
  return { features: { data, rows, cols }, responses };
}

export const priorBoostContract: SystemContract<BoostInput> = {
  name: 'aggregate/priorboost',
  regular: () => ({ ...table(240, 2), bagSize: 5, stages: 2 }),
  // One row runs too, but promises nothing: its bound is infinite, which JSON does not know.
  smallest: () => ({ ...table(4, 1), bagSize: 1, stages: 1 }),
  empty: () => ({ ...table(0, 2), bagSize: 1, stages: 1 }),
  withNaN() {
    const input = this.regular();
    input.features.data[13] = Number.NaN;
    return { input, where: /row 6, column 1/ };
  },
  long: () => ({ ...table(40_000, 10), bagSize: 8, stages: 4 }),
  async run({ features, responses, ...settings }, options) {
    const { value, certificate } = await priorBoost({
      ...{ ...options, ...settings, features },
      query: localBagQuery(responses, { mode: 'exact' }),
      learner: linearLearner(),
    });
    // Two models are alike when their states are; their methods are other functions.
    return { value: JSON.parse(JSON.stringify(value)), certificate };
  },
};
