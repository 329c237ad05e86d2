// Models back from their JSON state.

import { DataError } from '../../core/errors.ts';
import type { AggregateModel, ModelState } from '../types.ts';
import { glmModel } from './glm-model.ts';
import { type LinearModelParameters, linearModel } from './linear-model.ts';

/** Makes a model from a state of its kind. */
export type ModelReader = (state: ModelState) => AggregateModel;

const readers: Readonly<Record<string, ModelReader>> = {
  linear: (state) => linearModel(parametersOf(state)),
  logistic: (state) => glmModel('logistic', parametersOf(state)),
  poisson: (state) => glmModel('poisson', parametersOf(state)),
};

/**
 * The model that `JSON.parse` of its serialised form describes.
 *
 * @param more - readers of further kinds, such as that of models from `provably/aggregate/mlp`
 * @throws {DataError} the kind is unknown, or a field is missing or not made of finite numbers
 */
export function restoreModel(
  state: ModelState,
  more: Readonly<Record<string, ModelReader>> = {},
): AggregateModel {
  const known = { ...readers, ...more };
  if (!Object.hasOwn(known, state?.kind)) {
    throw new DataError(
      `restoreModel: kind is ${JSON.stringify(state?.kind)}; expected one of ${Object.keys(known).join(', ')}. ` +
        'Pass a reader of that kind as the second argument.',
    );
  }
  return known[state.kind](state);
}

function parametersOf(state: ModelState): LinearModelParameters {
  return {
    coefficients: numbersOf(state, 'coefficients'),
    center: numbersOf(state, 'center'),
    level: numberOf(state, 'level'),
  };
}

/** @throws {DataError} the field is not an array of finite numbers */
function numbersOf(state: ModelState, field: string): Float64Array {
  const values = state[field];
  if (!Array.isArray(values) || !values.every((x) => Number.isFinite(x))) {
    throw new DataError(
      `restoreModel: ${field} of the ${state.kind} model is not an array of finite numbers; expected what toJSON gave.`,
    );
  }
  return Float64Array.from(values);
}

/** @throws {DataError} the field is not a finite number */
function numberOf(state: ModelState, field: string): number {
  const value = state[field];
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new DataError(
      `restoreModel: ${field} of the ${state.kind} model is ${JSON.stringify(value)}; expected a finite number.`,
    );
  }
  return value;
}
