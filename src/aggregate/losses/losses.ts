// The losses of learning from bag means, with their gradients by the predictions of single samples.

import { requireFinite, requireLength, requireNumber, requireOneOf } from '../../core/check.ts';
import { type Bags, requireBags } from '../bags/bags.ts';
import type { BagAnswers } from '../types.ts';
import {
  AGGREGATIONS,
  type AggregateIn,
  LOSSES,
  type LossFunction,
  type LossName,
  lossFunctions,
} from './loss-functions.ts';
import { bagWeights, type Weighting } from './weights.ts';

export interface LossOptions {
  /** Default `square`. */
  loss?: LossName | undefined;
  /** Where predictions of a bag are averaged; no difference for the square loss. Default `mean`. */
  aggregateIn?: AggregateIn | undefined;
  /** How much each bag counts. Default `size`. */
  weighting?: Weighting | undefined;
  /** Variance σ² of a single response, which weighting `precision` needs. */
  residualVariance?: number | undefined;
}

export interface LossValue {
  /** Weighted mean over bags, in squared units of the response (square) or nats. */
  value: number;
  /** ∂value/∂η_i, shape (n,); 0 for samples in no bag. */
  gradient: Float64Array;
}

/**
 * L_bag = Σ w_a ℓ(ȳ_a, f̄_a) / Σ w_a: the mean prediction of each bag against its mean response.
 *
 * @param predictions - η of each sample on the link scale (responses, logits, log rates), shape (n,)
 * @throws {ShapeError} lengths differ @throws {InvalidArgumentError} bags overlap, a value is not finite, an option leaves its range
 *
 * O(n). Reference: arXiv 2401.11081 (equal bags); weights derived.
 */
export function bagLoss(
  predictions: Float64Array,
  answers: BagAnswers & { bags: Bags },
  options: LossOptions = {},
): LossValue {
  return mixedLoss('bagLoss', predictions, answers, options, 1, 0);
}

/** L_ins = Σ_a (w_a/k_a) Σ_i ℓ(ȳ_a, f_i) / Σ w_a: each sample against its bag's mean response. Otherwise as `bagLoss`. */
export function instanceLoss(
  predictions: Float64Array,
  answers: BagAnswers & { bags: Bags },
  options: Omit<LossOptions, 'aggregateIn'> = {},
): LossValue {
  return mixedLoss('instanceLoss', predictions, answers, options, 0, 1);
}

/** (1 − ρ) L_bag + ρ L_ins, ρ ≥ 0; for the square loss L_bag + ρR. Otherwise as `bagLoss`. */
export function interpolatingLoss(
  predictions: Float64Array,
  answers: BagAnswers & { bags: Bags },
  { rho, ...options }: LossOptions & { rho: number },
): LossValue {
  requireNumber('interpolatingLoss: rho', rho, 0);
  return mixedLoss('interpolatingLoss', predictions, answers, options, 1 - rho, rho);
}

/**
 * R = Σ_a (w_a/k_a) Σ_i (f_i − f̄_a)² / Σ w_a, the spread of predictions within bags.
 *
 * For the square loss L_ins = L_bag + R exactly; for a convex one with curvature at most λ, L_bag ≤ L_ins ≤ L_bag + (λ/2) R with predictions averaged
 * on the link scale (arXiv 2401.11081; constants derived).
 *
 * @param predictions - shape (n,)
 * @returns R, in squared units of the predictions. O(n).
 */
export function withinBagVariance(
  predictions: Float64Array,
  { bags, noiseVariance }: { bags: Bags; noiseVariance?: Float64Array | undefined },
  options: Pick<LossOptions, 'weighting' | 'residualVariance'> = {},
): number {
  const name = 'withinBagVariance';
  requireBags(`${name}: bags`, bags);
  requireLength(`${name}: predictions`, predictions, bags.samples);
  requireFinite(`${name}: predictions`, predictions);
  const weights = bagWeights(name, bags, { ...options, noiseVariance });
  const { offsets, members } = bags;
  let total = 0;
  let weight = 0;
  for (let a = 0; a < weights.length; a++) {
    const size = offsets[a + 1] - offsets[a];
    // About the first member: a big common offset costs no digits.
    const origin = predictions[members[offsets[a]]];
    let mean = 0;
    for (let i = offsets[a]; i < offsets[a + 1]; i++) mean += (predictions[members[i]] - origin) / size;
    let spread = 0;
    for (let i = offsets[a]; i < offsets[a + 1]; i++)
      spread += (predictions[members[i]] - origin - mean) ** 2;
    total += (weights[a] * spread) / size;
    weight += weights[a];
  }
  return total / weight;
}

function mixedLoss(
  name: string,
  predictions: Float64Array,
  { bags, means, noiseVariance }: BagAnswers & { bags: Bags },
  { loss = 'square', aggregateIn = 'mean', weighting, residualVariance }: LossOptions,
  bagShare: number,
  instanceShare: number,
): LossValue {
  requireOneOf(`${name}: loss`, loss, LOSSES);
  requireOneOf(`${name}: aggregateIn`, aggregateIn, AGGREGATIONS);
  requireBags(`${name}: bags`, bags);
  requireLength(`${name}: predictions`, predictions, bags.samples);
  requireFinite(`${name}: predictions`, predictions);
  requireLength(`${name}: means`, means, bags.offsets.length - 1);
  requireFinite(`${name}: means`, means);
  const weights = bagWeights(name, bags, { weighting, residualVariance, noiseVariance });
  const total = weights.reduce((sum, w) => sum + w, 0);
  const { offsets, members } = bags;
  const f = lossFunctions[loss];
  const gradient = new Float64Array(bags.samples);
  let value = 0;
  for (let a = 0; a < weights.length; a++) {
    const weight = weights[a] / total;
    const etas = Float64Array.from(members.subarray(offsets[a], offsets[a + 1]), (i) => predictions[i]);
    const size = etas.length;
    let bagSlope: (eta: number) => number = () => 0;
    if (bagShare !== 0) {
      const bag = bagTerm(f, aggregateIn, means[a], etas);
      value += weight * bagShare * bag.value;
      bagSlope = bag.slope;
    }
    for (let i = 0; i < size; i++) {
      let slope = bagShare * bagSlope(etas[i]);
      if (instanceShare !== 0) {
        value += (weight / size) * instanceShare * f.value(means[a], etas[i]);
        slope += instanceShare * f.slope(means[a], etas[i]);
      }
      gradient[members[offsets[a] + i]] = (weight / size) * slope;
    }
  }
  return { value, gradient };
}

/** Loss of a bag at its mean prediction, and its derivative by k·η_i. */
function bagTerm(
  f: LossFunction,
  aggregateIn: AggregateIn,
  y: number,
  etas: Float64Array,
): { value: number; slope: (eta: number) => number } {
  if (aggregateIn === 'link') {
    const mean = etas.reduce((sum, eta) => sum + eta, 0) / etas.length;
    const slope = f.slope(y, mean);
    return { value: f.value(y, mean), slope: () => slope };
  }
  const { value, slope } = f.ofMean(y, etas, etas.length);
  return { value, slope: (eta) => slope * f.meanSlope(eta) };
}
