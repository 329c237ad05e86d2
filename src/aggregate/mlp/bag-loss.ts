// The interpolating loss of one step of whole bags, as jax-js traces it.

import type { Jax, JaxArray, JaxArrays, LossFunction } from '../../training/index.ts';

/** 'square': a mean of any sign · 'logistic': a probability · 'poisson': a rate. */
export type MlpLoss = 'square' | 'logistic' | 'poisson';

/** Where predictions are averaged: 'mean': probabilities and rates · 'link': logits and log-rates. The same for 'square'. */
export type AggregateIn = 'mean' | 'link';

export interface BagLossOptions {
  loss: MlpLoss;
  aggregateIn: AggregateIn;
  /** ρ ≥ 0. */
  rho: number;
  /** Layers with a ReLU. */
  hiddenLayers: number;
}

/** Averages of probabilities and rates are kept this far from where their logarithm ends, in float32. */
const LEAST = 1e-6;

/**
 * (1 − ρ) Σ_a w_a ℓ(ȳ_a, f̄_a) + ρ Σ_i w_i ℓ(ȳ_a(i), f_i) over the arrays of `bagStep`.
 *
 * Source: arXiv 2401.11081 (the family); 'mean' and 'link' are two readings of its aggregate prediction, which agree for linear outputs.
 */
export function bagLoss({ loss, aggregateIn, rho, hiddenLayers }: BagLossOptions): LossFunction {
  return (jax, parameters, batch) => {
    const link = outputs(jax, parameters, batch.features, hiddenLayers);
    const average = (values: JaxArray) => jax.numpy.matmul(batch.average, values);
    const inLink = aggregateIn === 'link' || loss === 'square';
    const bagTerm = (values: JaxArray) => values.mul(batch.weights).sum();
    const bagLevel = () =>
      inLink
        ? bagTerm(lossOfLink(jax, loss, average(link.ref), batch.targets))
        : bagTerm(lossOfMean(jax, loss, average(meanOfLink(jax, loss, link.ref)), batch.targets));
    const instanceLevel = () => lossOfLink(jax, loss, link.ref, batch.rowTargets).mul(batch.rowWeights).sum();
    if (rho === 1) {
      const value = instanceLevel();
      link.dispose();
      dispose(batch, ['average', 'targets', 'weights']);
      return value;
    }
    const value = bagLevel().mul(1 - rho);
    if (rho === 0) {
      link.dispose();
      dispose(batch, ['rowTargets', 'rowWeights']);
      return value;
    }
    const both = value.add(instanceLevel().mul(rho));
    link.dispose();
    return both;
  };
}

/** Outputs of the network, shape (rows,). */
function outputs({ numpy, nn }: typeof Jax, parameters: JaxArrays, features: JaxArray, hiddenLayers: number) {
  let x = features;
  for (let i = 0; i <= hiddenLayers; i++) {
    x = numpy.matmul(x, parameters[`layers.${i}.weight`]).add(parameters[`layers.${i}.bias`]);
    if (i < hiddenLayers) x = nn.relu(x);
  }
  return x.reshape([-1]);
}

/** ℓ by logit or log-rate: convex in it, and without overflow. */
function lossOfLink({ numpy, nn }: typeof Jax, loss: MlpLoss, link: JaxArray, targets: JaxArray): JaxArray {
  if (loss === 'square') return numpy.square(link.sub(targets));
  const linear = link.ref.mul(targets);
  if (loss === 'poisson') return numpy.exp(link).sub(linear);
  // log(1 + e^η) = max(η, 0) + log(1 + e^−|η|)
  const softplus = nn.relu(link.ref).add(numpy.log1p(numpy.exp(numpy.absolute(link).neg())));
  return softplus.sub(linear);
}

/** ℓ by probability or rate. */
function lossOfMean({ numpy }: typeof Jax, loss: MlpLoss, mean: JaxArray, targets: JaxArray): JaxArray {
  if (loss === 'poisson') {
    const positive = numpy.maximum(mean, LEAST);
    return positive.ref.sub(numpy.log(positive).mul(targets));
  }
  const inside = numpy.clip(mean, LEAST, 1 - LEAST);
  const yes = numpy.log(inside.ref).mul(targets.ref);
  const no = numpy.log(inside.neg().add(1)).mul(targets.neg().add(1));
  return yes.add(no).neg();
}

function meanOfLink({ numpy, nn }: typeof Jax, loss: MlpLoss, link: JaxArray): JaxArray {
  return loss === 'logistic' ? nn.sigmoid(link) : numpy.exp(link);
}

/** Frees what a loss at an end of the family does not need: every array is consumed once. */
function dispose(batch: JaxArrays, names: readonly string[]): void {
  for (const name of names) batch[name].dispose();
}
