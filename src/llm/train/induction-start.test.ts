import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng, type Rng } from '../../core/rng.ts';
import type { Tensors } from '../../training/index.ts';
import { HUB_NAMES } from '../model/tensor-names.ts';
import { startWithInduction } from './induction-start.ts';
import { createKernelTrainer } from './kernel-trainer.ts';
import { initialWeights, layerTensor, type TrainableShape } from './model-shape.ts';
import { tokenBatch } from './network.ts';

const shape: TrainableShape = {
  ...{ vocabulary: 300, hidden: 128, intermediate: 16, layers: 2, heads: 4, keyHeads: 2, headDim: 32 },
  ...{ ropeBase: 1e6, normEpsilon: 1e-5, context: 64 },
};

function started(seed: number): Tensors {
  const weights = initialWeights(shape, createRng(seed));
  startWithInduction(shape, weights, createRng(seed + 1));
  return weights;
}

describe('startWithInduction', () => {
  it('makes heads of the first layer look back, whatever the tokens are', () => {
    const weights = started(3);
    const rng = createRng(5);
    const embedding = weights[HUB_NAMES.model.tokenEmbedding].data;
    const inputs = Array.from({ length: 40 }, () => {
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
        const other = plain[(i + 16) % 32];
        return x * Math.cos(angle) + (i < 16 ? -1 : 1) * other * Math.sin(angle);
      });
    };
    for (const [head, from, to] of [
      [0, 0, 0],
      [1, 1, 1],
      [2, 3, 11],
      [3, 2, 2],
    ]) {
      let found = 0;
      for (let at = 15; at < inputs.length; at++) {
        const query = turned(weights[layerTensor(0, 'q')].data, head, at);
        const logits = Array.from({ length: at + 1 }, (_, j) => {
          const key = turned(weights[layerTensor(0, 'k')].data, head >> 1, j);
          return query.reduce((sum, x, i) => sum + x * key[i], 0);
        });
        const offset = at - logits.indexOf(Math.max(...logits));
        if (offset >= from && offset <= to) found++;
      }
      // By chance it would be 1 of some 25 positions (9 of them for head 2); contents outvote positions now and then.
      assert.ok(found >= 0.8 * 25, `head ${head} found ${found} of 25`);
    }
  });

  it('learns copies in steps that leave a random start at guessing', async () => {
    const [rows, length, period] = [8, 48, 24];
    const copies = (rng: Rng): Tensors => {
      const ids = Uint32Array.from({ length: rows * (length + 1) }, () => 1 + rng.integer(299));
      for (let i = 0; i < ids.length; i++) if (i % (length + 1) >= period) ids[i] = ids[i - period];
      const part = (from: number) =>
        Uint32Array.from({ length: rows * length }, (_, i) => {
          const row = Math.floor(i / length);
          return ids[row * (length + 1) + (i % length) + from];
        });
      const weights = Float32Array.from({ length: rows * length }, (_, i) => (i % length >= period ? 1 : 0));
      return tokenBatch(shape, { rows, length, inputs: part(0), targets: part(1), weights });
    };
    const lossAfter = async (weights: Tensors) => {
      using trainer = await createKernelTrainer(shape, weights);
      let loss = 0;
      for (let step = 0; step < 60; step++) loss = await trainer.step(copies(createRng(step)), 3e-3);
      return loss;
    };
    const [random, start] = [
      await lossAfter(initialWeights(shape, createRng(3))),
      await lossAfter(started(3)),
    ];
    // A guess costs ln 299 = 5.7 nats; the random start is still near it.
    assert.ok(random > 5, `random: ${random}`);
    assert.ok(start < 3, `start: ${start}`);
  });

  it('refuses other numbers of heads', () => {
    const other = { ...shape, heads: 8, headDim: 16 };
    assert.throws(() => startWithInduction(other, initialWeights(other, createRng(0)), createRng(0)), {
      code: 'INVALID_ARGUMENT',
      message: /expected at least 2, with 4 and 2/,
    });
  });
});
