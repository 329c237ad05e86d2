// A network trained on bags: predicts single samples, and travels as JSON.

import { requireInteger } from '../../core/check.ts';
import { DataError, ShapeError } from '../../core/errors.ts';
import { type Matrix64, requireMatrix } from '../../core/matrix.ts';
import type { Tensors } from '../../training/index.ts';
import { LOSSES, type LossName, lossFunctions } from '../losses/loss-functions.ts';
import type { AggregateModel, ModelState } from '../types.ts';

/** All of a trained network. */
export interface MlpParameters {
  loss: LossName;
  /** Units of each layer: features, hidden layers, 1. */
  widths: readonly number[];
  /** Weight of each layer, (inputs, outputs) row-major, and its biases. */
  weights: readonly Float32Array[];
  biases: readonly Float32Array[];
  /** Features are moved by `centers` and divided by `scales`, shape (d,) each. */
  centers: Float64Array;
  scales: Float64Array;
  /** The output is multiplied by `scale` and moved by `center` ('square' only; else 1 and 0). */
  center: number;
  scale: number;
}

/** Layers out of the trainer's tensors. */
export function layersOf(tensors: Tensors, count: number): Pick<MlpParameters, 'weights' | 'biases'> {
  const at = (kind: string) => Array.from({ length: count }, (_, i) => tensors[`layers.${i}.${kind}`].data);
  return { weights: at('weight'), biases: at('bias') };
}

/** The model of given parameters. Predictions accumulate in float64; O(parameters) a row. */
export function mlpModel(parameters: MlpParameters): AggregateModel {
  const { loss, widths, weights, biases, centers, scales, center, scale } = parameters;
  return {
    predict(features) {
      requireColumns('MLP model', features, widths[0]);
      const predictions = new Float64Array(features.rows);
      for (let i = 0; i < features.rows; i++) {
        let x = new Float64Array(widths[0]);
        for (let j = 0; j < x.length; j++) x[j] = (features.data[i * x.length + j] - centers[j]) / scales[j];
        for (let layer = 0; layer < weights.length; layer++) {
          x = affine(x, weights[layer], biases[layer]);
          // Math.max(0, NaN) is NaN, so a broken model stays visible.
          if (layer < weights.length - 1) for (let j = 0; j < x.length; j++) x[j] = Math.max(0, x[j]);
        }
        predictions[i] = lossFunctions[loss].mean(center + scale * x[0]);
      }
      return predictions;
    },
    toJSON: () => ({
      kind: 'mlp',
      ...{ loss, widths: [...widths], center, scale },
      centers: Array.from(centers),
      scales: Array.from(scales),
      weights: weights.map((weight) => Array.from(weight)),
      biases: biases.map((bias) => Array.from(bias)),
    }),
  };
}

function affine(x: Float64Array, weight: Float32Array, bias: Float32Array): Float64Array<ArrayBuffer> {
  const result = Float64Array.from(bias);
  for (let i = 0; i < x.length; i++) {
    if (x[i] === 0) continue; // half of the units behind a ReLU
    const row = i * result.length;
    for (let j = 0; j < result.length; j++) result[j] += x[i] * weight[row + j];
  }
  return result;
}

function requireColumns(name: string, features: Matrix64, columns: number): void {
  requireMatrix(`${name}: features`, features);
  if (features.cols !== columns) {
    throw new ShapeError(`${name}: features have ${features.cols} columns; expected ${columns}.`);
  }
}

/**
 * The model that `toJSON` gave, also after a round trip through JSON text: equal bits.
 *
 * @throws {DataError} it is no such state: the message names the field
 */
export function restoreMlpModel(state: ModelState): AggregateModel {
  if (state.kind !== 'mlp') {
    throw new DataError(`restoreMlpModel: kind is ${JSON.stringify(state.kind)}; expected "mlp".`);
  }
  const loss = LOSSES.find((name) => name === state.loss);
  if (loss === undefined) {
    throw new DataError(
      `restoreMlpModel: loss is ${JSON.stringify(state.loss)}; expected one of ${LOSSES.join(', ')}.`,
    );
  }
  const widths = [...numbers(state, 'widths')];
  if (widths.length < 2 || widths.at(-1) !== 1) {
    throw new DataError(`restoreMlpModel: widths are [${widths}]; expected two or more, the last of them 1.`);
  }
  for (const [i, width] of widths.entries()) requireInteger(`restoreMlpModel: widths[${i}]`, width, 1);
  const layers = widths.length - 1;
  return mlpModel({
    ...{ loss, widths },
    weights: layerArrays(state, 'weights', layers, (i) => widths[i] * widths[i + 1]),
    biases: layerArrays(state, 'biases', layers, (i) => widths[i + 1]),
    centers: numbers(state, 'centers', widths[0]),
    scales: numbers(state, 'scales', widths[0]),
    center: numbers({ ...state, center: [state.center] }, 'center', 1)[0],
    scale: numbers({ ...state, scale: [state.scale] }, 'scale', 1)[0],
  });
}

function layerArrays(state: ModelState, field: string, layers: number, lengthOf: (i: number) => number) {
  const list = state[field];
  if (!Array.isArray(list) || list.length !== layers) {
    throw new DataError(`restoreMlpModel: ${field} is not a list of ${layers} layers; expected one of each.`);
  }
  return list.map((_, i) => Float32Array.from(numbers({ ...state, [field]: list[i] }, field, lengthOf(i))));
}

function numbers(state: ModelState, field: string, length?: number): Float64Array {
  const list = state[field];
  if (
    !Array.isArray(list) ||
    !list.every((value) => Number.isFinite(value)) ||
    (length !== undefined && list.length !== length)
  ) {
    throw new DataError(
      `restoreMlpModel: ${field} is not a list of ${length ?? 'some'} finite numbers; expected what toJSON gave. Save the model again.`,
    );
  }
  return Float64Array.from(list as number[]);
}
