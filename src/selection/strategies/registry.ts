// All strategies by name, with what each needs: what a CLI or a comparison loops over.

import { requireOneOf } from '../../core/check.ts';
import {
  selectKCenter,
  selectKMeansSensitivity,
  selectLeverage,
  selectLightweightCoreset,
  selectLowRankResidual,
  selectRidgeLeverage,
} from './by-geometry.ts';
import {
  selectEntropy,
  selectLeastConfidence,
  selectLossProportional,
  selectMargin,
  selectTopLoss,
  selectUniform,
} from './by-model.ts';
import type { Strategy, StrategyInput, StrategyOptions, StrategySelection } from './types.ts';

export const STRATEGIES: readonly Strategy[] = [
  {
    name: 'uniform',
    description: 'every row with the same probability',
    needs: [],
    unbiased: true,
    select: selectUniform,
  },
  {
    name: 'k-center',
    description: 'rows that cover the space: each the farthest from those before',
    needs: ['embeddings'],
    unbiased: false,
    select: selectKCenter,
  },
  {
    name: 'margin',
    description: 'smallest gap between the two most likely classes',
    needs: ['probabilities'],
    unbiased: false,
    select: selectMargin,
  },
  {
    name: 'entropy',
    description: 'largest entropy of the class probabilities',
    needs: ['probabilities'],
    unbiased: false,
    select: selectEntropy,
  },
  {
    name: 'least-confidence',
    description: 'smallest probability of the most likely class',
    needs: ['probabilities'],
    unbiased: false,
    select: selectLeastConfidence,
  },
  {
    name: 'top-loss',
    description: 'largest loss',
    needs: ['losses'],
    unbiased: false,
    select: selectTopLoss,
  },
  {
    name: 'loss-proportional',
    description: 'probability proportional to the true loss: the unaffordable optimum',
    needs: ['losses'],
    unbiased: true,
    select: selectLossProportional,
  },
  {
    name: 'k-means-sensitivity',
    description: 'sensitivity of the k-means cost, losses not looked at',
    needs: ['embeddings'],
    unbiased: true,
    select: selectKMeansSensitivity,
  },
  {
    name: 'lightweight-coreset',
    description: 'half uniform, half by squared distance from the mean',
    needs: ['embeddings'],
    unbiased: true,
    select: selectLightweightCoreset,
  },
  {
    name: 'leverage',
    description: 'leverage scores of the embeddings',
    needs: ['embeddings'],
    unbiased: false,
    select: selectLeverage,
  },
  {
    name: 'ridge-leverage',
    description: 'leverage scores with a ridge',
    needs: ['embeddings'],
    unbiased: false,
    select: selectRidgeLeverage,
  },
  {
    name: 'low-rank-residual',
    description: 'leverage within the best sub-space and distance from it',
    needs: ['embeddings'],
    unbiased: false,
    select: selectLowRankResidual,
  },
];

/**
 * Selects rows by the strategy of this name.
 *
 * @throws {InvalidArgumentError} no such strategy, or its input is missing
 */
export async function selectWith(
  name: string,
  input: StrategyInput,
  options: StrategyOptions,
): Promise<StrategySelection> {
  requireOneOf(
    'selectWith: strategy',
    name,
    STRATEGIES.map((strategy) => strategy.name),
  );
  return STRATEGIES.find((strategy) => strategy.name === name)!.select(input, options);
}
