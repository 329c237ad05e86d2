// A multilayer perceptron after training: plain arrays and matrix products, with no need of jax-js.

import { requireInteger } from '../core/check.ts';
import { InvalidArgumentError, ShapeError } from '../core/errors.ts';
import { type Matrix32, requireMatrix } from '../core/matrix.ts';
import { loadKernels } from '../kernels/index.ts';
import type { Tensors } from './tensors.ts';

/** Affine layer x ↦ x · weight + bias. */
export interface DenseLayer {
  /** Shape (inputs, outputs). */
  weight: Matrix32;
  /** Shape (outputs,). */
  bias: Float32Array;
}

/** Rows per pass: bounds what is held of the hidden layers, and is large enough for the matrix product to be fast. */
const BLOCK_ROWS = 4096;

/** Layers with a ReLU after each but the last, whose outputs are the logits of the classes. */
export class Mlp {
  /** At least one; the outputs of each are the inputs of the next. */
  readonly layers: readonly DenseLayer[];

  /** @throws {ShapeError} layers do not fit each other */
  constructor(layers: readonly DenseLayer[]) {
    if (layers.length === 0) throw new ShapeError('Mlp: no layers; expected at least one.');
    layers.forEach(({ weight, bias }, i) => {
      requireMatrix(`Mlp: layers[${i}].weight`, weight);
      if (bias.length !== weight.cols || (i > 0 && layers[i - 1].weight.cols !== weight.rows)) {
        throw new ShapeError(
          `Mlp: layers[${i}] has weight (${weight.rows}, ${weight.cols}) and bias (${bias.length}); ` +
            'expected as many biases as columns, and as many rows as the layer before has columns.',
        );
      }
    });
    this.layers = layers;
  }

  get inputs(): number {
    return this.layers[0].weight.rows;
  }

  get classes(): number {
    return this.layers[this.layers.length - 1].weight.cols;
  }

  /** Logits, shape (rows, classes). @param features - shape (rows, inputs) @throws {ShapeError} other columns */
  predict(features: Matrix32): Promise<Matrix32> {
    return this.#forward('Mlp.predict', features, this.layers.length);
  }

  /**
   * Outputs of the last hidden layer, after its ReLU, shape (rows, units): the representation that `predict` sees.
   *
   * @throws {ShapeError} other columns than `inputs`
   * @throws {InvalidArgumentError} the model has no hidden layer
   */
  async embed(features: Matrix32): Promise<Matrix32> {
    if (this.layers.length < 2) {
      throw new InvalidArgumentError('Mlp.embed: the model has no hidden layer; expected one or more.');
    }
    return this.#forward('Mlp.embed', features, this.layers.length - 1);
  }

  /** Cross entropy of each row in nats, shape (rows,). @param labels - class of each row @throws {ShapeError} {InvalidArgumentError} */
  async losses(features: Matrix32, labels: ArrayLike<number>): Promise<Float64Array> {
    return crossEntropies(await this.predict(features), labels);
  }

  /** Share of rows whose largest logit is that of their label, in [0, 1]. @throws {ShapeError} {InvalidArgumentError} */
  async accuracy(features: Matrix32, labels: ArrayLike<number>): Promise<number> {
    requireLabels('Mlp.accuracy: labels', labels, features.rows, this.classes);
    const predicted = largestPerRow(await this.predict(features));
    let right = 0;
    predicted.forEach((label, i) => {
      if (label === labels[i]) right++;
    });
    return right / features.rows;
  }

  /** The parameters under the names "layers.0.weight", "layers.0.bias", … */
  tensors(): Tensors {
    const tensors: Tensors = {};
    this.layers.forEach(({ weight, bias }, i) => {
      tensors[`layers.${i}.weight`] = { shape: [weight.rows, weight.cols], data: weight.data };
      tensors[`layers.${i}.bias`] = { shape: [bias.length], data: bias };
    });
    return tensors;
  }

  /** The model whose parameters `tensors()` gave. @throws {ShapeError} a name is missing or a shape does not fit */
  static fromTensors(tensors: Tensors): Mlp {
    const layers: DenseLayer[] = [];
    for (let i = 0; `layers.${i}.weight` in tensors; i++) {
      const { shape, data } = tensors[`layers.${i}.weight`];
      const bias = tensors[`layers.${i}.bias`];
      if (shape.length !== 2 || !bias) {
        throw new ShapeError(
          `Mlp.fromTensors: layer ${i} has a weight of shape (${shape.join(', ')}) and ${bias ? 'a' : 'no'} bias; expected a matrix and a bias.`,
        );
      }
      layers.push({ weight: { data, rows: shape[0], cols: shape[1] }, bias: bias.data });
    }
    return new Mlp(layers);
  }

  async #forward(where: string, features: Matrix32, depth: number): Promise<Matrix32> {
    requireMatrix(`${where}: features`, features);
    if (features.cols !== this.inputs) {
      throw new ShapeError(`${where}: features have ${features.cols} columns; expected ${this.inputs}.`);
    }
    const kernels = await loadKernels();
    const cols = this.layers[depth - 1].weight.cols;
    const result = new Float32Array(features.rows * cols);
    for (let start = 0; start < features.rows; start += BLOCK_ROWS) {
      const m = Math.min(BLOCK_ROWS, features.rows - start);
      let a = features.data.subarray(start * features.cols, (start + m) * features.cols);
      for (let i = 0; i < depth; i++) {
        const { weight, bias } = this.layers[i];
        const c = new Float32Array(m * weight.cols);
        for (let r = 0; r < m; r++) c.set(bias, r * weight.cols);
        await kernels.gemm({ m, n: weight.cols, k: weight.rows, a, b: weight.data, c, accumulate: true });
        // Math.max(0, NaN) is NaN, so a broken model stays visible.
        if (i < this.layers.length - 1) for (let j = 0; j < c.length; j++) c[j] = Math.max(0, c[j]);
        a = c;
      }
      result.set(a, start * cols);
    }
    return { data: result, rows: features.rows, cols };
  }
}

/**
 * Cross entropy −log softmax(logits)[label] of each row in nats, by log-sum-exp in float64.
 *
 * @param logits - shape (rows, classes)
 * @param labels - shape (rows,)
 * @throws {ShapeError} {InvalidArgumentError} another number of labels, or a label outside [0, classes)
 */
export function crossEntropies(logits: Matrix32, labels: ArrayLike<number>): Float64Array {
  const { data, rows, cols } = logits;
  requireLabels('crossEntropies: labels', labels, rows, cols);
  const losses = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    const start = i * cols;
    let largest = -Infinity;
    for (let j = 0; j < cols; j++) largest = Math.max(largest, data[start + j]);
    let sum = 0;
    for (let j = 0; j < cols; j++) sum += Math.exp(data[start + j] - largest);
    // Both terms are ≥ 0 exactly: sum ≥ 1, and largest ≥ the label's own logit.
    losses[i] = Math.log(sum) + (largest - data[start + labels[i]]);
  }
  return losses;
}

/** Softmax of each row, shape (rows, cols): class probabilities. */
export function softmaxRows({ data, rows, cols }: Matrix32): Matrix32 {
  const result = new Float32Array(data.length);
  for (let i = 0; i < rows; i++) {
    const start = i * cols;
    let largest = -Infinity;
    for (let j = 0; j < cols; j++) largest = Math.max(largest, data[start + j]);
    let sum = 0;
    for (let j = 0; j < cols; j++) sum += Math.exp(data[start + j] - largest);
    for (let j = 0; j < cols; j++) result[start + j] = Math.exp(data[start + j] - largest) / sum;
  }
  return { data: result, rows, cols };
}

/** Column of the largest entry of each row; ties go to the lowest. */
export function largestPerRow({ data, rows, cols }: Matrix32): Uint32Array {
  const winners = new Uint32Array(rows);
  for (let i = 0; i < rows; i++) {
    let best = 0;
    for (let j = 1; j < cols; j++) if (data[i * cols + j] > data[i * cols + best]) best = j;
    winners[i] = best;
  }
  return winners;
}

/** @throws {ShapeError} another number of labels @throws {InvalidArgumentError} a label is no integer in [0, classes) */
export function requireLabels(name: string, labels: ArrayLike<number>, rows: number, classes: number): void {
  if (labels.length !== rows) {
    throw new ShapeError(`${name} has length ${labels.length}; expected one per row, ${rows}.`);
  }
  for (let i = 0; i < rows; i++) requireInteger(`${name}[${i}]`, labels[i], 0, classes - 1);
}
