// One random split of a real table, with the learner that suits its response and the error on the rows held back.

import type { Matrix64 } from '../../../core/matrix.ts';
import { type ResponseTable, standardizer, trainTestSplit } from '../../../data/datasets/index.ts';
import { type AggregateModel, glmLearner, type Learner, linearLearner } from '../../index.ts';

export interface TableSplit {
  /** Of the rows to train on, standardised by themselves. */
  features: Matrix64;
  responses: Float64Array;
  learner: Learner;
  /** Mean squared error, or of binary responses log-loss in nats, on the rows held back. */
  score: (model: AggregateModel) => number;
  /** Score of predicting the mean of the rows to train on. */
  meanScore: number;
}

/** Three quarters to train on, one to test on. */
export function splitTable(table: ResponseTable, seed: number): TableSplit {
  const { train, test } = trainTestSplit(table, { seed });
  const scale = standardizer(train.features);
  const held = scale.apply(test.features);
  const binary = table.kind === 'binary';
  const errorOf = (predicted: ArrayLike<number>) =>
    (binary ? logLoss : meanSquares)(predicted, test.response);
  const level = train.response.reduce((sum, y) => sum + y / train.response.length, 0);
  return {
    features: scale.apply(train.features),
    responses: train.response,
    learner: binary ? glmLearner('logistic') : linearLearner(),
    score: (model) => errorOf(model.predict(held)),
    meanScore: errorOf(new Float64Array(held.rows).fill(level)),
  };
}

function meanSquares(predicted: ArrayLike<number>, responses: Float64Array): number {
  return responses.reduce((sum, y, i) => sum + (y - predicted[i]) ** 2, 0) / responses.length;
}

function logLoss(predicted: ArrayLike<number>, responses: Float64Array): number {
  return (
    responses.reduce((sum, y, i) => sum - Math.log(y === 1 ? predicted[i] : 1 - predicted[i]), 0) /
    responses.length
  );
}
