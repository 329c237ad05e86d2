// Named arrays in host memory: parameters of a model, one batch, a checkpoint.

import { ShapeError } from '../core/errors.ts';

/** Row-major float32 array of any rank; `data.length` is the product of `shape` (1 for a scalar, shape []). */
export interface Tensor {
  shape: readonly number[];
  data: Float32Array;
}

/** Tensors by name, e.g. "layers.0.weight". The order of names is the order of insertion. */
export type Tensors = Record<string, Tensor>;

/** @throws {ShapeError} `data.length` is not the product of `shape` */
export function requireTensor(name: string, { shape, data }: Tensor): void {
  const size = shape.reduce((product, length) => product * length, 1);
  if (data.length !== size) {
    throw new ShapeError(
      `${name}: data has ${data.length} entries; expected ${size} for shape (${shape.join(', ')}).`,
    );
  }
}
