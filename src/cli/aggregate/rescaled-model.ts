// A model that takes features standardised one way, for features standardised another way.

import { type AggregateModel, type ModelState, restoreModel } from '../../aggregate/index.ts';
import { DataError } from '../../core/errors.ts';
import { type Standardization, standardize } from '../../core/standardize.ts';

const KIND = 'rescaled';

/**
 * The model for features standardised by `outer`, when it takes those standardised by `inner`.
 *
 * (x − m')/s' of z = (x − m)/s is (z − (m' − m)/s) / (s'/s).
 */
export function rescaledModel(
  model: AggregateModel,
  inner: Standardization,
  outer: Standardization,
): AggregateModel {
  return ofState(model, {
    means: inner.means.map((mean, j) => (mean - outer.means[j]) / outer.scales[j]),
    scales: inner.scales.map((scale, j) => scale / outer.scales[j]),
  });
}

/** `restoreModel` that also knows rescaled ones. */
export function restoreAnyModel(state: ModelState): AggregateModel {
  return restoreModel(state, {
    [KIND]: ({ means, scales, model }) => {
      if (!isNumbers(means) || !isNumbers(scales)) {
        throw new DataError('a rescaled model has no means and scales; the file is damaged.');
      }
      return ofState(restoreModel(model as ModelState), {
        means: Float64Array.from(means),
        scales: Float64Array.from(scales),
      });
    },
  });
}

function ofState(model: AggregateModel, scaling: Standardization): AggregateModel {
  return {
    predict: (features) => model.predict(standardize(features, scaling)),
    toJSON: () => ({
      kind: KIND,
      means: Array.from(scaling.means),
      scales: Array.from(scaling.scales),
      model: model.toJSON(),
    }),
  };
}

function isNumbers(values: unknown): values is number[] {
  return Array.isArray(values) && values.every((value) => Number.isFinite(value));
}
