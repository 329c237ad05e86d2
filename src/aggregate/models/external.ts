// Any other learner, through soft labels.

import { requireLength } from '../../core/check.ts';
import { DataError, UnsupportedError } from '../../core/errors.ts';
import type { Matrix64 } from '../../core/matrix.ts';
import { bagWeights } from '../losses/weights.ts';
import type { AggregateModel, Learner, ModelState } from '../types.ts';
import { requireAggregateData } from './require-data.ts';

/** What a model of someone else's must offer. */
export interface ExternalModel {
  /** Predicted mean response of each row, shape (n,). */
  predict(features: Matrix64): ArrayLike<number>;
  /** State as plain JSON data. Without it the model cannot be saved. */
  toJSON?(): ModelState;
}

export interface ExternalFit {
  /**
   * Fits a model to samples with soft labels.
   *
   * @param features - shape (s, d), rows of samples in bags
   * @param softLabels - mean response of each sample's bag, shape (s,)
   * @param weights - weight of each sample, shape (s,)
   */
  fit(
    features: Matrix64,
    softLabels: Float64Array,
    weights: Float64Array,
  ): ExternalModel | Promise<ExternalModel>;
}

/**
 * A learner from any `fit(X, softLabels, weights)`: trees, boosting, a call to another process. Soft labels are the instance-level loss, so it takes ρ = 1 only.
 *
 * @throws {UnsupportedError} (from `fit`) ρ is not 1 @throws {DataError} (from `predict`) a prediction is not finite
 */
export function externalLearner(name: string, { fit }: ExternalFit): Learner {
  return {
    name,
    async fit(data, { rho, signal }): Promise<AggregateModel> {
      if (rho !== 1) {
        throw new UnsupportedError(
          `${name}: rho is ${rho}; expected 1, since learners from soft labels minimise the instance-level loss. Pass rho 1, or a learner of this library.`,
        );
      }
      requireAggregateData(name, data, 'ignore');
      signal?.throwIfAborted();
      const { bags, means, features } = data;
      const { cols } = features;
      const bagWeight = bagWeights(name, bags);
      const rows = new Float64Array(bags.members.length * cols);
      const labels = new Float64Array(bags.members.length);
      const weights = new Float64Array(bags.members.length);
      for (let a = 0; a < means.length; a++) {
        for (let i = bags.offsets[a]; i < bags.offsets[a + 1]; i++) {
          const start = bags.members[i] * cols;
          rows.set(features.data.subarray(start, start + cols), i * cols);
          labels[i] = means[a];
          weights[i] = bagWeight[a] / (bags.offsets[a + 1] - bags.offsets[a]);
        }
      }
      const model = await fit({ data: rows, rows: labels.length, cols }, labels, weights);
      return {
        predict(of) {
          const predictions = Float64Array.from(model.predict(of));
          requireLength(`${name}: predictions`, predictions, of.rows);
          const bad = predictions.findIndex((x) => !Number.isFinite(x));
          if (bad >= 0) {
            throw new DataError(
              `${name}: the prediction of row ${bad} is ${predictions[bad]}; expected a finite number.`,
            );
          }
          return predictions;
        },
        toJSON() {
          if (!model.toJSON) {
            throw new UnsupportedError(
              `${name}: the model has no toJSON; expected one to save it. Return it from fit.`,
            );
          }
          return model.toJSON();
        },
      };
    },
  };
}
