// The interpolating loss of one step of whole bags, as jax-js traces it.

import type { Jax, JaxArray, JaxArrays, LossFunction } from '../../training/index.ts';
import type { AggregateIn, LossName } from '../losses/loss-functions.ts';

export interface TracedLossOptions {
  loss: LossName;
  aggregateIn: AggregateIn;
  /** ρ ≥ 0. */
  rho: number;
  /** Layers with a ReLU. */
  hiddenLayers: number;
}

/** Averages of probabilities and rates below this count as this: a logarithm in float32 stays finite, and so does its slope. */
const LEAST = 1e-30;

/**
 * (1 − ρ) Σ_a w_a ℓ(ȳ_a, f̄_a) + ρ Σ_i w_i ℓ(ȳ_a(i), f_i) over the arrays of `bagStep`.
 *
 * Source: arXiv 2401.11081 (the family); 'mean' and 'link' are two readings of its aggregate prediction, which agree for linear outputs.
 */
export function tracedLoss({ loss, aggregateIn, rho, hiddenLayers }: TracedLossOptions): LossFunction {
  return (jax, parameters, batch) => {
    const link = outputs(jax, parameters, batch.features, hiddenLayers);
    const average = (values: JaxArray) => jax.numpy.matmul(batch.average.ref, values);
    const inLink = aggregateIn === 'link' || loss === 'square';
    const bagLosses = () =>
      inLink
        ? lossOfLink(jax, loss, average(link.ref), batch.targets)
        : lossOfMean(jax, loss, average, link.ref, batch.targets);
    const terms: JaxArray[] = [];
    if (rho !== 1)
      terms.push(
        bagLosses()
          .mul(batch.weights)
          .sum()
          .mul(1 - rho),
      );
    else dispose([batch.targets, batch.weights]);
    if (rho !== 0) {
      const losses = lossOfLink(jax, loss, link.ref, batch.rowTargets);
      terms.push(losses.mul(batch.rowWeights).sum().mul(rho));
    } else dispose([batch.rowTargets, batch.rowWeights]);
    dispose([link, batch.average]);
    return terms.reduce((sum, term) => sum.add(term));
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
function lossOfLink({ numpy, nn }: typeof Jax, loss: LossName, link: JaxArray, targets: JaxArray): JaxArray {
  if (loss === 'square') return numpy.square(link.sub(targets));
  const linear = link.ref.mul(targets);
  if (loss === 'poisson') return numpy.exp(link).sub(linear);
  // log(1 + e^η) = max(η, 0) + log(1 + e^−|η|)
  const softplus = nn.relu(link.ref).add(numpy.log1p(numpy.exp(numpy.absolute(link).neg())));
  return softplus.sub(linear);
}

/** ℓ at the average probability or rate. Both tails of a probability are averaged on their own: 1 − p̄ would lose a small one. */
function lossOfMean(
  { numpy, nn }: typeof Jax,
  loss: LossName,
  average: (values: JaxArray) => JaxArray,
  link: JaxArray,
  targets: JaxArray,
): JaxArray {
  const positive = (values: JaxArray) => numpy.maximum(average(values), LEAST);
  if (loss === 'poisson') {
    const rate = positive(numpy.exp(link));
    return rate.ref.sub(numpy.log(rate).mul(targets));
  }
  const yes = numpy.log(positive(nn.sigmoid(link.ref))).mul(targets.ref);
  const no = numpy.log(positive(nn.sigmoid(link.neg()))).mul(targets.neg().add(1));
  return yes.add(no).neg();
}

/** Frees what a loss at an end of the family does not need: every array is consumed once. */
function dispose(arrays: readonly JaxArray[]): void {
  for (const array of arrays) array.dispose();
}
