// Optimizers as pure updates of one parameter array; trainer.ts applies them to a whole model inside one jit.

import { requireNumber } from '../core/check.ts';
import type { Jax, JaxArray } from './jax.ts';

/** One parameter array between two steps. All arrays have its shape. */
export interface ParameterState {
  parameter: JaxArray;
  /** Moments, as many as `Optimizer.slots`. */
  slots: JaxArray[];
}

export interface Optimizer {
  readonly name: string;
  /** Arrays kept beside each parameter; they start at zero. */
  readonly slots: number;
  /**
   * Numbers that change from step to step. They are computed here, in float64: in float32 Adam's 1 − β₂ᵗ would lose four
   * of its seven digits in the first step.
   *
   * @param step - counted from 1
   */
  coefficients(step: number, learningRate: number): number[];
  /** The state after one step. Consumes all arrays. @param coefficients - scalars, as `coefficients()` gave them */
  update(
    jax: typeof Jax,
    state: ParameterState,
    gradient: JaxArray,
    coefficients: JaxArray[],
  ): ParameterState;
}

export interface SgdOptions {
  /** Share of the last velocity that is kept, in [0, 1). Default 0. */
  momentum?: number;
  /** Look one step of the velocity ahead. Default false. */
  nesterov?: boolean;
}

/** Stochastic gradient descent: v ← μ v + g, θ ← θ − η v (Nesterov: θ − η (μ v + g)). @throws {InvalidArgumentError} */
export function sgd({ momentum = 0, nesterov = false }: SgdOptions = {}): Optimizer {
  requireNumber('sgd: momentum', momentum, 0, 1 - Number.EPSILON);
  return {
    name: 'sgd',
    slots: momentum > 0 ? 1 : 0,
    coefficients: (_step, learningRate) => [learningRate],
    update(_jax, { parameter, slots }, gradient, [rate]) {
      if (momentum === 0) return { parameter: parameter.sub(gradient.mul(rate)), slots: [] };
      const velocity = slots[0].mul(momentum).add(gradient.ref);
      const direction = nesterov ? velocity.ref.mul(momentum).add(gradient) : velocity.ref;
      if (!nesterov) gradient.dispose();
      return { parameter: parameter.sub(direction.mul(rate)), slots: [velocity] };
    },
  };
}

export interface AdamOptions {
  /** Decay of the mean of gradients, in [0, 1). Default 0.9. */
  beta1?: number;
  /** Decay of the mean of squared gradients, in [0, 1). Default 0.999. */
  beta2?: number;
  /** Added to the root of the second moment, > 0. Default 1e-8. */
  epsilon?: number;
}

export interface AdamWOptions extends AdamOptions {
  /** Decoupled decay λ: matrices also shrink by η λ at each step; vectors (biases, gains) do not. Default 0.01. */
  weightDecay?: number;
}

/** Adam (arXiv 1412.6980, algorithm 1). @throws {InvalidArgumentError} an option leaves its range */
export function adam(options: AdamOptions = {}): Optimizer {
  return { ...adamW({ ...options, weightDecay: 0 }), name: 'adam' };
}

/** Adam with decoupled weight decay (arXiv 1711.05101, algorithm 2). @throws {InvalidArgumentError} an option leaves its range */
export function adamW({
  beta1 = 0.9,
  beta2 = 0.999,
  epsilon = 1e-8,
  weightDecay = 0.01,
}: AdamWOptions = {}): Optimizer {
  requireNumber('adamW: beta1', beta1, 0, 1 - Number.EPSILON);
  requireNumber('adamW: beta2', beta2, 0, 1 - Number.EPSILON);
  requireNumber('adamW: epsilon', epsilon, Number.MIN_VALUE);
  requireNumber('adamW: weightDecay', weightDecay, 0);
  return {
    name: 'adamw',
    slots: 2,
    coefficients: (step, learningRate) => [
      learningRate / (1 - beta1 ** step),
      1 / (1 - beta2 ** step),
      1 - learningRate * weightDecay,
    ],
    update({ numpy }, { parameter, slots }, gradient, [rate, unbias, keep]) {
      const mean = slots[0].mul(beta1).add(gradient.ref.mul(1 - beta1));
      const square = slots[1].mul(beta2).add(numpy.square(gradient).mul(1 - beta2));
      const step = mean.ref.mul(rate).div(numpy.sqrt(square.ref.mul(unbias)).add(epsilon));
      const decays = weightDecay > 0 && parameter.ndim >= 2;
      const kept = decays ? parameter.mul(keep) : parameter;
      if (!decays) keep.dispose();
      return { parameter: kept.sub(step), slots: [mean, square] };
    },
  };
}
