// The same network that the engine runs, as a traced function of jax-js: its logits, and the loss that is trained on.

import type { Jax, JaxArray, JaxArrays, LossFunction, Tensor, Tensors } from '../../training/index.ts';
import { HUB_NAMES } from '../model/tensor-names.ts';
import { layerTensor, type TrainableShape } from './model-shape.ts';

/** Rows of tokens, all equally long. */
export interface TokenRows {
  rows: number;
  length: number;
  /** Read, shape (rows, length). */
  inputs: Uint32Array;
  /** To be predicted after each, shape (rows, length). */
  targets: Uint32Array;
  /** Of each prediction in the loss, ≥ 0, not all 0, shape (rows, length). */
  weights: Float32Array;
}

/**
 * A batch for `nextTokenLoss`: the rows, weights divided by their sum, and what depends on positions only.
 *
 * Ids go as float32, which is what trainers take; they are exact up to 2²⁴.
 */
export function tokenBatch(
  shape: TrainableShape,
  { rows, length, inputs, targets, weights }: TokenRows,
): Tensors {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const of = (data: Float32Array): Tensor => ({ shape: [rows, length], data });
  return {
    inputs: of(Float32Array.from(inputs)),
    targets: of(Float32Array.from(targets)),
    weights: of(weights.map((weight) => weight / total)),
    ...positions(shape, length),
  };
}

/** Cosines and sines of each position and pair, and −∞ (as far as float32 needs it) where a query would see the future. */
function positions({ headDim, ropeBase }: TrainableShape, length: number): Tensors {
  const pairs = headDim / 2;
  const angle = (i: number) => Math.floor(i / pairs) * ropeBase ** (-(i % pairs) / pairs);
  const table = (of: (x: number) => number): Tensor => ({
    shape: [length, pairs],
    data: Float32Array.from({ length: length * pairs }, (_, i) => of(angle(i))),
  });
  const hidden = Float32Array.from({ length: length * length }, (_, i) =>
    i % length > Math.floor(i / length) ? -1e9 : 0,
  );
  return { cos: table(Math.cos), sin: table(Math.sin), hidden: { shape: [length, length], data: hidden } };
}

/** Σ weight · −ln p(target), in nats: the mean, as weights sum to one. */
export function nextTokenLoss(shape: TrainableShape): LossFunction {
  return (jax, parameters, { inputs, targets, weights, ...tables }) => {
    const { numpy, nn } = jax;
    const [rows, length] = inputs.shape;
    const logits = traceLogits(jax, shape, parameters, inputs, tables);
    const wanted = nn.oneHot(targets.astype(numpy.int32).reshape([rows * length]), shape.vocabulary);
    const likelihoods = nn.logSoftmax(logits, -1).mul(wanted).sum(-1);
    return likelihoods
      .mul(weights.reshape([rows * length]))
      .sum()
      .neg();
  };
}

/** Logits of all positions, shape (rows · length, vocabulary). Consumes all arrays. @param inputs - ids, shape (rows, length) */
export function traceLogits(
  jax: typeof Jax,
  shape: TrainableShape,
  parameters: JaxArrays,
  inputs: JaxArray,
  { cos, sin, hidden: mask }: JaxArrays,
): JaxArray {
  const { numpy, nn } = jax;
  const [rows, length] = inputs.shape;
  const { hidden, layers, heads, keyHeads, headDim, normEpsilon } = shape;
  const group = heads / keyHeads;
  const linear = (x: JaxArray, weight: JaxArray) => numpy.matmul(x, weight.transpose());
  const norm = (x: JaxArray, gain: JaxArray) => {
    const square = numpy.mean(numpy.square(x.ref), -1, { keepdims: true });
    return x.div(numpy.sqrt(square.add(normEpsilon))).mul(gain);
  };
  const split = (x: JaxArray, count: number) =>
    x.reshape([rows, length, count, headDim]).transpose([0, 2, 1, 3]);
  const turn = (x: JaxArray) => {
    const [a, b] = [x.ref.slice([], [], [], [0, headDim / 2]), x.slice([], [], [], [headDim / 2, headDim])];
    return numpy.concatenate(
      [a.ref.mul(cos.ref).sub(b.ref.mul(sin.ref)), b.mul(cos.ref).add(a.mul(sin.ref))],
      -1,
    );
  };
  const embedding = parameters[HUB_NAMES.model.tokenEmbedding];
  let x = numpy.take(embedding.ref, inputs.astype(numpy.int32).reshape([rows * length]), 0);
  for (let l = 0; l < layers; l++) {
    const of = (tensor: Parameters<typeof layerTensor>[1]) => parameters[layerTensor(l, tensor)];
    const input = norm(x.ref, of('attentionNorm'));
    // Query heads that share a key head are rows of one product.
    const queries = turn(split(linear(input.ref, of('q')), heads)).reshape([
      rows,
      keyHeads,
      group * length,
      headDim,
    ]);
    const keys = turn(split(linear(input.ref, of('k')), keyHeads));
    const values = split(linear(input, of('v')), keyHeads);
    const scores = numpy
      .matmul(queries, keys.transpose([0, 1, 3, 2]))
      .mul(1 / Math.sqrt(headDim))
      .reshape([rows, heads, length, length])
      .add(mask.ref);
    const shares = nn.softmax(scores, -1).reshape([rows, keyHeads, group * length, length]);
    const attended = numpy
      .matmul(shares, values)
      .reshape([rows, heads, length, headDim])
      .transpose([0, 2, 1, 3])
      .reshape([rows * length, hidden]);
    x = x.add(linear(attended, of('output')));
    const middle = norm(x.ref, of('ffnNorm'));
    const gate = nn.silu(linear(middle.ref, of('gate')));
    x = x.add(linear(gate.mul(linear(middle, of('up'))), of('down')));
  }
  for (const table of [cos, sin, mask]) table.dispose();
  return linear(norm(x, parameters[HUB_NAMES.model.outputNorm]), embedding);
}
