import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng } from '../../core/rng.ts';
import { adamW, createTrainer, type Tensors } from '../../training/index.ts';
import { createKernelTrainer } from './kernel-trainer.ts';
import { initialWeights, type TrainableShape } from './model-shape.ts';
import { nextTokenLoss, tokenBatch } from './network.ts';

const shape: TrainableShape = {
  ...{ vocabulary: 50, hidden: 24, intermediate: 40, layers: 2, heads: 6, keyHeads: 2, headDim: 4 },
  ...{ ropeBase: 100, normEpsilon: 1e-5, context: 64 },
};
const rng = createRng(8);
const weights = initialWeights(shape, rng.fork('weights'));
for (const [name, { data }] of Object.entries(weights)) {
  const stream = rng.fork(name);
  if (name.endsWith('norm.weight')) for (let i = 0; i < data.length; i++) data[i] += 0.3 * stream.normal();
}

function batch(step: number): Tensors {
  const [rows, length] = [3, 13];
  const stream = rng.fork(step);
  const ids = () => Uint32Array.from({ length: rows * length }, () => stream.integer(50));
  const loads = Float32Array.from({ length: rows * length }, () => Math.max(0, stream.normal()));
  return tokenBatch(shape, { rows, length, inputs: ids(), targets: ids(), weights: loads });
}

/** Largest distance of two sets of weights, relative to the largest entry of each tensor. */
function distance(a: Tensors, b: Tensors): number {
  return Math.max(
    ...Object.entries(a).map(([name, { data }]) => {
      const other = b[name].data;
      const size = Math.max(...data.map(Math.abs));
      return Math.max(...data.map((x, i) => Math.abs(x - other[i]))) / size;
    }),
  );
}

describe('createKernelTrainer', () => {
  it('has the losses and gradients of automatic differentiation', async () => {
    // A large epsilon makes AdamW's step proportional to the mean of gradients, so that the first moment shows every gradient itself.
    const options = { beta1: 0.9, beta2: 0.98, epsilon: 1e3, weightDecay: 0 };
    using oracle = await createTrainer(weights, {
      ...{ loss: nextTokenLoss(shape), optimizer: adamW(options) },
    });
    using trainer = await createKernelTrainer(shape, weights, { ...options, clipNorm: 1e9 });
    for (let step = 0; step < 2; step++) {
      const [expected, found] = [await oracle.step(batch(step), 1), await trainer.step(batch(step), 1)];
      assert.ok(Math.abs(found - expected) < 1e-5 * expected, `${found} ≠ ${expected}`);
    }
    const [mean] = (await trainer.state()).slots;
    const [wanted] = (await oracle.state()).slots;
    // Float32 sums of some 40 products through two layers: 1e-4 of the largest gradient is far more than their rounding.
    for (const name of Object.keys(mean)) {
      const apart = distance({ [name]: wanted[name] }, { [name]: mean[name] });
      assert.ok(apart < 1e-4, `${name}: gradients are ${apart} apart`);
    }
  });

  it('takes the same steps as AdamW in jax-js, with clipping and decay', async () => {
    const options = { beta1: 0.8, beta2: 0.9, epsilon: 1e-3, weightDecay: 0.2 };
    using oracle = await createTrainer(weights, {
      ...{ loss: nextTokenLoss(shape), optimizer: adamW(options), clipNorm: 0.05 },
    });
    using trainer = await createKernelTrainer(shape, weights, { ...options, clipNorm: 0.05 });
    for (let step = 0; step < 5; step++) {
      await oracle.step(batch(step), 0.01);
      await trainer.step(batch(step), 0.01);
    }
    // Five steps of 0.01 move weights by up to 0.05; rounding of gradients is a thousandth of a step at most, as epsilon is 1e-3.
    assert.ok(distance(await oracle.parameters(), await trainer.parameters()) < 1e-4);
  });

  it('goes on from its own state, and from that of jax-js', async () => {
    using whole = await createKernelTrainer(shape, weights);
    for (let step = 0; step < 4; step++) await whole.step(batch(step), 0.01);
    using first = await createKernelTrainer(shape, weights);
    for (let step = 0; step < 2; step++) await first.step(batch(step), 0.01);
    using second = await createKernelTrainer(shape, weights, { resume: await first.state() });
    for (let step = 2; step < 4; step++) await second.step(batch(step), 0.01);
    assert.deepEqual(await second.state(), await whole.state());
  });
});
