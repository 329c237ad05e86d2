import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createRng } from '../../core/rng.ts';
import { HUB_NAMES } from '../model/tensor-names.ts';
import { lookBack } from './look-back.ts';
import { initialWeights, layerTensor, type TrainableShape } from './model-shape.ts';

const shape: TrainableShape = {
  ...{ vocabulary: 300, hidden: 128, intermediate: 16, layers: 1, heads: 4, keyHeads: 2, headDim: 32 },
  ...{ ropeBase: 1e6, normEpsilon: 1e-5, context: 64 },
};

it('lookBack: each head prefers the token at its offset, whatever the tokens are', () => {
  const weights = initialWeights(shape, createRng(3));
  const offsets = [0, 1, 4, 6];
  lookBack(shape, weights, offsets);
  const embedding = weights[HUB_NAMES.model.tokenEmbedding].data;
  const rng = createRng(5);
  const positions = 40;
  const inputs = Array.from({ length: positions }, () => {
    const token = rng.integer(shape.vocabulary);
    const x = embedding.subarray(token * 128, (token + 1) * 128);
    const size = Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / 128);
    return x.map((v) => v / size);
  });
  /** Query or key of a head at a position, turned. */
  const turned = (matrix: Float32Array, head: number, at: number) => {
    const plain = Array.from({ length: 32 }, (_, i) =>
      inputs[at].reduce((sum, x, c) => sum + x * matrix[(head * 32 + i) * 128 + c], 0),
    );
    return plain.map((x, i) => {
      const angle = at * shape.ropeBase ** (-(i % 16) / 16);
      return i < 16
        ? x * Math.cos(angle) - plain[i + 16] * Math.sin(angle)
        : x * Math.cos(angle) + plain[i - 16] * Math.sin(angle);
    });
  };
  for (const [head, offset] of offsets.entries()) {
    let found = 0;
    for (let at = 10; at < positions; at++) {
      const query = turned(weights[layerTensor(0, 'q')].data, head, at);
      const logits = Array.from({ length: at + 1 }, (_, j) => {
        const key = turned(weights[layerTensor(0, 'k')].data, head >> 1, j);
        return query.reduce((sum, x, i) => sum + x * key[i], 0);
      });
      if (logits.indexOf(Math.max(...logits)) === at - offset) found++;
    }
    // By chance it would be 1 of some 25; contents still outvote positions now and then.
    assert.ok(found >= 0.8 * 30, `head ${head} found ${found} of 30`);
  }
});
