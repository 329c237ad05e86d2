// ρ of a network by cross-validation over bags.

import type { RunOptions } from '../../core/progress.ts';
import { bagCount, bagMeans, bagSize } from '../bags/bags.ts';
import { drawFolds, rankRhos, rhoGrid } from '../models/cross-validate.ts';
import type { AggregateData, AggregateModel, FitOptions } from '../types.ts';
import { takeBags } from './bag-batches.ts';

export interface MlpCrossValidation {
  /** Values of ρ ≥ 0. Default 0, 0.25, 0.5, 0.75, 1. */
  grid?: readonly number[];
  /** Folds of bags, ≥ 2. Default 3. */
  folds?: number;
}

/**
 * The ρ whose networks, trained on the other bags, predict held-out bag means best (squared error, weighted by size).
 *
 * Score and folds are those of `crossValidateRho`; each fold is a training of its own.
 */
export async function chooseRho(
  data: AggregateData,
  { seed, validationBags, signal, onProgress }: FitOptions,
  { grid = [0, 0.25, 0.5, 0.75, 1], folds: wanted = 3 }: MlpCrossValidation,
  train: (data: AggregateData, rho: number, run: RunOptions) => Promise<AggregateModel>,
): Promise<number> {
  const rhos = rhoGrid('mlpLearner', grid);
  const count = bagCount(data.bags);
  const { foldOf, folds } = drawFolds('mlpLearner', count, { folds: wanted, validationBags }, seed);
  const squares = new Float64Array(folds * rhos.length);
  const weights = new Float64Array(folds);
  foldOf.forEach((fold, a) => {
    if (fold < folds) weights[fold] += bagSize(data.bags, a);
  });
  const all = Array.from({ length: count }, (_, a) => a);
  for (let fold = 0; fold < folds; fold++) {
    const part = takeBags(
      data,
      all.filter((a) => foldOf[a] !== fold),
    );
    for (const [g, rho] of rhos.entries()) {
      onProgress?.({ phase: 'folds', done: fold * rhos.length + g, total: folds * rhos.length });
      const predicted = bagMeans((await train(part, rho, { signal })).predict(data.features), data.bags);
      for (const a of all) {
        if (foldOf[a] !== fold) continue;
        squares[fold * rhos.length + g] += bagSize(data.bags, a) * (data.means[a] - predicted[a]) ** 2;
      }
    }
  }
  return rankRhos(rhos, squares, weights).rho;
}
