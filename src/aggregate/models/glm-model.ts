// A generalised linear model: mean = b'(level + ⟨coefficients, x − center⟩).

import { lossFunctions } from '../losses/loss-functions.ts';
import type { AggregateModel, ModelState } from '../types.ts';
import { type LinearModelParameters, linearModel, linearPredictions } from './linear-model.ts';

/** Families with a canonical link other than the identity. */
export const GLM_FAMILIES = ['logistic', 'poisson'] as const;
export type GlmFamily = (typeof GLM_FAMILIES)[number];

/** The model with given parameters; `level` is on the link scale. @throws as `linearModel` */
export function glmModel(family: GlmFamily, parameters: LinearModelParameters): AggregateModel {
  const linear = linearModel(parameters);
  const { mean } = lossFunctions[family];
  return {
    predict: (features) => linearPredictions('GlmModel.predict', features, parameters).map(mean),
    toJSON: (): ModelState => ({ ...linear.toJSON(), kind: family }),
  };
}
