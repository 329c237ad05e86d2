// A start for a network that is to find things by what stood before them: heads of the first layer that look a few tokens back, whatever
// these are. Training finds such heads by itself, but they are the long wait before retrieval begins (induction heads: arXiv 2209.11895).

import type { Tensors } from '../../training/index.ts';
import { HUB_NAMES } from '../model/tensor-names.ts';
import { layerTensor, type TrainableShape } from './model-shape.ts';

/** First entry of all embeddings; after the norm it is about 3, of any token. With tied weights it adds the same to all logits: nothing. */
const COMMON = 0.3;
/** By how much the logit of the token meant exceeds that of its neighbours, about. */
const GAP = 4;
/** What is left of the random entries of these heads, so that contents do not drown positions. */
const REST = 0.3;

/**
 * Changes initial weights so that query head h of the first layer looks `offsets[h]` tokens back.
 *
 * An entry common to all tokens makes queries and keys that only depend on positions. Turned by i and j, a pair of angle f gives
 * β² cos((i − j − offset) f) if the query is the key turned back by the offset: largest where j = i − offset. Several fast pairs together have no
 * other maximum nearby. Values and outputs stay random.
 *
 * @param weights - of `initialWeights`; those of the first layer's queries and keys, and the embeddings, are changed
 * @param offsets - ≥ 0, one for each query head
 */
export function lookBack(
  { hidden, heads, keyHeads, headDim, ropeBase, vocabulary }: TrainableShape,
  weights: Tensors,
  offsets: readonly number[],
): void {
  const embedding = weights[HUB_NAMES.model.tokenEmbedding].data;
  for (let token = 0; token < vocabulary; token++) embedding[token * hidden] = COMMON;
  const half = headDim / 2;
  const frequencies = Array.from({ length: half }, (_, i) => ropeBase ** (-i / half)).filter((f) => f > 0.05);
  // After the norm the common entry is COMMON over the root mean square, which is that of all entries together.
  const common = COMMON / Math.sqrt((1 + COMMON ** 2) / hidden);
  const fall = frequencies.reduce((sum, f) => sum + 1 - Math.cos(f), 0);
  const size = Math.sqrt((GAP * Math.sqrt(headDim)) / fall) / common;
  const place = (matrix: Float32Array, count: number, offsetOf: (head: number) => number) => {
    for (let i = 0; i < matrix.length; i++) matrix[i] *= REST;
    for (let head = 0; head < count; head++) {
      frequencies.forEach((f, i) => {
        const row = head * headDim + i;
        matrix[row * hidden] = size * Math.cos(offsetOf(head) * f);
        matrix[(row + half) * hidden] = -size * Math.sin(offsetOf(head) * f);
      });
    }
  };
  place(weights[layerTensor(0, 'q')].data, heads, (head) => offsets[head]);
  place(weights[layerTensor(0, 'k')].data, keyHeads, () => 0);
}
