// A start for a network that is to find things by what stood before them. Training finds such a circuit by itself (induction heads, arXiv
// 2209.11895), but only after a long plateau; here the first two layers begin near one, and training makes it exact.

import { InvalidArgumentError } from '../../core/errors.ts';
import type { Rng } from '../../core/rng.ts';
import type { Tensors } from '../../training/index.ts';
import { HUB_NAMES } from '../model/tensor-names.ts';
import { layerTensor, type TrainableShape } from './model-shape.ts';

/** First entry of all embeddings; after the norm it is about 3, of any token. With tied weights it adds the same to all logits: nothing. */
const COMMON = 0.3;
/** By how much the logit of the token meant exceeds that of its neighbours, about. */
const GAP = 4;
/** What is left of random entries where a head is given something to do. */
const REST = 0.3;

/** Heads of the first layer, in groups of two that share keys and values: the token itself and the one before; all of about 4 to 10 before, and the second before. */
const SELF = 0;
const PREVIOUS = 1;
const RECENT = 2;
const SECOND = 3;
/** In the middle of what RECENT averages: names stand 4 to 10 tokens before the digits of their line. */
const RECENT_CENTRE = 7;

/**
 * Changes initial weights so that the first layer looks back and the second one finds earlier places with the same past.
 *
 * Layer 0: an entry common to all tokens makes queries and keys that only depend on positions. Turned by i and j, a pair of angle f gives
 * β² cos((i − j − offset) f) if the query is the key turned back by the offset: largest at j = i − offset, and sharp if fast pairs take part.
 *
 * Layer 1: queries read what SELF and RECENT wrote, keys what PREVIOUS and RECENT wrote, through one random projection, so that places score
 * high whose token before is the present one and whose past is alike; in pairs that turn slowly. Values are written back by their own
 * transpose: the token found becomes likelier.
 *
 * @param weights - of `initialWeights`; changed
 * @throws {InvalidArgumentError} fewer than 2 layers, or heads other than 4 with 2 for keys
 */
export function startWithInduction(shape: TrainableShape, weights: Tensors, rng: Rng): void {
  const { hidden, layers, heads, keyHeads, vocabulary } = shape;
  if (layers < 2 || heads !== 4 || keyHeads !== 2) {
    throw new InvalidArgumentError(
      `startWithInduction: ${layers} layers with ${heads} heads, ${keyHeads} for keys; expected at least 2, with 4 and 2.`,
    );
  }
  const embedding = weights[HUB_NAMES.model.tokenEmbedding].data;
  for (let token = 0; token < vocabulary; token++) embedding[token * hidden] = COMMON;
  lookBack(shape, weights);
  matchPasts(shape, weights, rng);
}

function lookBack({ hidden, heads, keyHeads, headDim, ropeBase }: TrainableShape, weights: Tensors): void {
  const half = headDim / 2;
  const fast = Array.from({ length: half }, (_, i) => ropeBase ** (-i / half)).filter((f) => f > 0.05);
  // After the norm the common entry is COMMON over the root mean square, which is that of all entries together.
  const common = COMMON / Math.sqrt((1 + COMMON ** 2) / hidden);
  const fall = fast.reduce((sum, f) => sum + 1 - Math.cos(f), 0);
  const size = Math.sqrt((GAP * Math.sqrt(headDim)) / fall) / common;
  const queries = weights[layerTensor(0, 'q')].data;
  const keys = weights[layerTensor(0, 'k')].data;
  for (const matrix of [queries, keys]) for (let i = 0; i < matrix.length; i++) matrix[i] *= REST;
  const place = (matrix: Float32Array, head: number, offset: number, sizeOf: (f: number) => number) =>
    fast.forEach((f, i) => {
      const row = head * headDim + i;
      matrix[row * hidden] = sizeOf(f) * Math.cos(offset * f);
      matrix[(row + half) * hidden] = -sizeOf(f) * Math.sin(offset * f);
    });
  for (let head = 0; head < keyHeads; head++) place(keys, head, 0, () => size);
  place(queries, SELF, 0, () => size);
  place(queries, PREVIOUS, 1, () => size);
  place(queries, SECOND, 2, () => size);
  // Without the fastest pair, and fainter: a hill some seven tokens wide.
  place(queries, RECENT, RECENT_CENTRE, (f) => (f > 0.5 ? 0 : 0.3 * size));
  // A mean of several tokens is smaller than one token.
  const output = weights[layerTensor(0, 'output')].data;
  for (let row = 0; row < hidden; row++)
    for (let c = 0; c < headDim; c++) output[row * heads * headDim + RECENT * headDim + c] *= 2;
}

function matchPasts(shape: TrainableShape, weights: Tensors, rng: Rng): void {
  const { hidden, heads, keyHeads, headDim, ropeBase } = shape;
  const half = headDim / 2;
  const written = weights[layerTensor(0, 'output')].data;
  const queries = weights[layerTensor(1, 'q')].data;
  const keys = weights[layerTensor(1, 'k')].data;
  const values = weights[layerTensor(1, 'v')].data;
  const output = weights[layerTensor(1, 'output')].data;
  for (const matrix of [queries, keys]) for (let i = 0; i < matrix.length; i++) matrix[i] *= REST;
  // Rows of a head whose pair hardly turns within a context.
  const slow = Array.from({ length: headDim }, (_, i) => i).filter(
    (i) => ropeBase ** (-(i % half) / half) < 0.004,
  );
  /** Fills a row so that it reads a mix of what a head of the first layer wrote. */
  const read = (matrix: Float32Array, row: number, head: number, mix: readonly number[]) => {
    const sums = Float64Array.from({ length: hidden }, (_, c) =>
      mix.reduce((sum, share, i) => sum + share * written[c * heads * headDim + head * headDim + i], 0),
    );
    const size = 2 / Math.hypot(...sums);
    sums.forEach((x, c) => {
      matrix[row * hidden + c] = size * x;
    });
  };
  const group = heads / keyHeads;
  for (let g = 0; g < keyHeads; g++) {
    slow.forEach((i, j) => {
      const stream = rng.fork(g).fork(i);
      const mix = Array.from({ length: headDim }, () => stream.normal());
      const ofToken = j % 2 === 0;
      read(keys, g * headDim + i, ofToken ? PREVIOUS : RECENT, mix);
      for (let h = g * group; h < (g + 1) * group; h++)
        read(queries, h * headDim + i, ofToken ? SELF : RECENT, mix);
    });
    for (let h = g * group; h < (g + 1) * group; h++)
      for (let i = 0; i < headDim; i++)
        for (let c = 0; c < hidden; c++)
          output[c * heads * headDim + h * headDim + i] = 0.5 * values[(g * headDim + i) * hidden + c];
  }
}
