// A trainer with the steps of createTrainer on nextTokenLoss and AdamW, on the project's kernels instead of jax-js.

import { requireNumber } from '../../core/check.ts';
import { type Kernels, loadKernels } from '../../kernels/index.ts';
import type { Tensors, Trainer, TrainerState } from '../../training/index.ts';
import { NetworkGradients } from './gradients.ts';
import { requireShape, type TrainableShape } from './model-shape.ts';

export interface KernelTrainerOptions {
  /** As of `adamW`, whose defaults these are not: they suit language models. Defaults 0.9, 0.98, 1e-8 and 0.05. */
  beta1?: number;
  beta2?: number;
  epsilon?: number;
  weightDecay?: number;
  /** Gradients whose norm over all weights together is larger are scaled down to it, > 0. Default 1. */
  clipNorm?: number;
  /** Go on where another trainer was, be it this one or one in jax-js. */
  resume?: TrainerState | undefined;
  /** Default: the best there are. */
  kernels?: Kernels;
}

/**
 * Trains a model by AdamW (arXiv 1711.05101, algorithm 2; vectors do not decay) on batches as `tokenBatch` makes them.
 *
 * The gradients are those of `nextTokenLoss` up to rounding; equal batches and machine give equal bits.
 *
 * @param weights - copied
 * @throws {InvalidArgumentError} the shape or an option leaves its range
 *
 * A step takes time O(tokens · weights), and memory for all activations of a batch.
 */
export async function createKernelTrainer(
  shape: TrainableShape,
  weights: Tensors,
  options: KernelTrainerOptions = {},
): Promise<Trainer> {
  requireShape('createKernelTrainer', shape);
  const { beta1 = 0.9, beta2 = 0.98, epsilon = 1e-8, weightDecay = 0.05, clipNorm = 1, resume } = options;
  requireNumber('createKernelTrainer: beta1', beta1, 0, 1 - Number.EPSILON);
  requireNumber('createKernelTrainer: beta2', beta2, 0, 1 - Number.EPSILON);
  requireNumber('createKernelTrainer: epsilon', epsilon, Number.MIN_VALUE);
  requireNumber('createKernelTrainer: weightDecay', weightDecay, 0);
  requireNumber('createKernelTrainer: clipNorm', clipNorm, Number.MIN_VALUE);
  const kernels = options.kernels ?? (await loadKernels());
  const state = copy(resume ?? { steps: 0, parameters: weights, slots: [zeros(weights), zeros(weights)] });
  const gradients = zeros(weights);
  let network: { key: string; gradients: NetworkGradients } | undefined;
  return {
    get steps() {
      return state.steps;
    },
    async step(batch, learningRate) {
      const [rows, length] = batch.inputs.shape;
      const key = `${rows} ${length}`;
      if (network?.key !== key)
        network = { key, gradients: new NetworkGradients(kernels, shape, rows, length) };
      const loss = await network.gradients.run(state.parameters, batch, gradients);
      state.steps++;
      const rate = learningRate / (1 - beta1 ** state.steps);
      const unbias = 1 / (1 - beta2 ** state.steps);
      const scale = 1 / Math.max(1, norm(gradients) / clipNorm);
      for (const [name, { shape: size, data: x }] of Object.entries(state.parameters)) {
        const [gradient, mean, square] = [
          gradients[name].data,
          state.slots[0][name].data,
          state.slots[1][name].data,
        ];
        const keep = size.length > 1 ? 1 - learningRate * weightDecay : 1;
        for (let i = 0; i < x.length; i++) {
          const g = gradient[i] * scale;
          mean[i] = beta1 * mean[i] + (1 - beta1) * g;
          square[i] = beta2 * square[i] + (1 - beta2) * g * g;
          x[i] = keep * x[i] - (rate * mean[i]) / (Math.sqrt(square[i] * unbias) + epsilon);
        }
      }
      return loss;
    },
    parameters: async () => copyOf(state.parameters),
    state: async () => copy(state),
    [Symbol.dispose]() {
      network = undefined;
    },
  };
}

function norm(gradients: Tensors): number {
  let sum = 0;
  for (const { data } of Object.values(gradients)) for (const g of data) sum += g * g;
  return Math.sqrt(sum);
}

function zeros(tensors: Tensors): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, data }]) => [
      name,
      { shape, data: new Float32Array(data.length) },
    ]),
  );
}

function copyOf(tensors: Tensors): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, data }]) => [name, { shape, data: data.slice() }]),
  );
}

function copy({ steps, parameters, slots }: TrainerState): TrainerState {
  return { steps, parameters: copyOf(parameters), slots: slots.map(copyOf) };
}
