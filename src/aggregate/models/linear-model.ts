// A linear model: level + ⟨coefficients, x − center⟩.

import { requireFinite, requireLength, requireNumber } from '../../core/check.ts';
import { ShapeError } from '../../core/errors.ts';
import { type Matrix64, requireMatrix } from '../../core/matrix.ts';
import type { AggregateModel, ModelState } from '../types.ts';

export interface LinearModelParameters {
  /** Shape (d,), in units of the response by units of the features. */
  coefficients: Float64Array;
  /** Point near the features' mean, shape (d,): the intercept alone would lose digits where it is far from 0. */
  center: Float64Array;
  /** Prediction at `center`, in the unit of the response. */
  level: number;
}

/** The model with given parameters. @throws {ShapeError} lengths differ @throws {InvalidArgumentError} a number is not finite */
export function linearModel(parameters: LinearModelParameters): AggregateModel {
  const { coefficients, center, level } = parameters;
  requireFinite('linearModel: coefficients', coefficients);
  requireFinite('linearModel: center', center);
  requireLength('linearModel: center', center, coefficients.length);
  requireNumber('linearModel: level', level);
  return {
    predict: (features) => linearPredictions('LinearModel.predict', features, parameters),
    toJSON: (): ModelState => ({
      kind: 'linear',
      coefficients: Array.from(coefficients),
      center: Array.from(center),
      level,
    }),
  };
}

/** level + ⟨coefficients, x − center⟩ for each row, shape (n,). O(n d). */
export function linearPredictions(
  name: string,
  features: Matrix64,
  { coefficients, center, level }: LinearModelParameters,
): Float64Array {
  requireMatrix(`${name}: features`, features);
  const { data, rows, cols } = features;
  if (cols !== coefficients.length) {
    throw new ShapeError(
      `${name}: features has ${cols} columns; expected ${coefficients.length}, those of the fit.`,
    );
  }
  const predictions = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    let value = level;
    for (let j = 0; j < cols; j++) value += coefficients[j] * (data[i * cols + j] - center[j]);
    predictions[i] = value;
  }
  return predictions;
}
