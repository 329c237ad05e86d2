// Private release of bag means: clip, count steps, add exact noise, divide.

import type { Certified } from '../../core/certificate.ts';
import { requireLength, requireProbability } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import { type Bags, bagSize, requireBags } from '../bags/bags.ts';
import type { BagAnswers } from '../types.ts';
import { certifyRelease } from './certify-release.ts';
import {
  discreteLaplaceVariance,
  type NoiseScale,
  noiseScale,
  sampleDiscreteLaplace,
} from './discrete-laplace.ts';
import {
  type LabelGrid,
  type LabelGridOptions,
  labelGrid,
  meanOfSteps,
  requireExactSums,
  stepsOf,
} from './label-grid.ts';
import { type RandomBits, secureBits } from './random-bits.ts';

/** Means of bags that are ε-label-differentially private. */
export interface PrivateRelease extends BagAnswers {
  /** True: the noise is exact and nobody can repeat it. */
  readonly private: true;
  /** Variance of the noise in each mean, shape (bags,). */
  noiseVariance: Float64Array;
  /** ε that each label in the bags is charged. A person with c of them is charged c·ε. */
  epsilon: number;
  /** What is protected: the value of one label. Features, who is in which bag and sizes are public. */
  neighbouring: 'replace-one-label';
  bounds: readonly [number, number];
  /** Step of the grid, in the unit of the labels. */
  grid: number;
  /** Scale t/s of the discrete Laplace noise in the sums, in steps. */
  noiseScale: NoiseScale;
  /** |mean − mean of the clipped labels| of each bag, at most, shape (bags,): all hold together but for the certificate's failure probability. */
  errorBounds: Float64Array;
}

export interface ReleaseOptions extends LabelGridOptions {
  /** Privacy lost by each label, in [10⁻⁹, 10⁶], dimensionless. */
  epsilon: number;
  /** Probability that a bound on an error fails, in (0, 1); the certificate holds the exact one, at most this. Default 0.05. */
  failureProbability?: number | undefined;
}

/**
 * Releases the mean label of each bag with ε-label differential privacy.
 *
 * Labels are clipped to [L, U] and rounded to whole steps of the grid; the sum of a bag gets discrete Laplace noise of scale Δ/ε (Δ = (U − L)/grid, rounded to a whole number),
 * by an exact sampler over the bits of `crypto.getRandomValues`, and is divided by the bag's size. Bags are disjoint, so the release as a whole costs ε.
 * There is no seed, and the certificate's is 0. Every call is a new release that costs ε again: keep a `PrivacyLedger`. The time of a call tells about its noise: do not let strangers measure it, or use the aggregator.
 *
 * @param labels - shape (n,), finite
 * @param bags - bags.samples = n
 * @returns means in the unit of the labels; the certificate bounds |mean − mean of the clipped labels| of all bags
 * @throws {InvalidArgumentError} bounds, grid or epsilon leave their range, a label in a bag is not finite, bags overlap, or a seed is passed
 * @throws {ShapeError} labels and bags do not fit
 *
 * O(n) time, some 20 ns a label.
 * Reference: label privacy of arXiv 2402.04987 and 2401.11081, with scale (U − L)/(kε) of the mean, which the sensitivity asks for; sampler of arXiv 2004.00010.
 */
export function releaseBagMeans(
  labels: ArrayLike<number>,
  bags: Bags,
  options: ReleaseOptions,
): Certified<PrivateRelease> {
  if ('seed' in options) {
    throw new InvalidArgumentError(
      'releaseBagMeans: options hold a seed; expected none, since noise that can be repeated can be taken off. Use simulateBagMeans for experiments.',
    );
  }
  const plan = planRelease('releaseBagMeans', labels, bags, options);
  const { means, noiseVariance } = releaseWith(secureBits(), labels, bags, plan);
  const { low, high, step } = plan.grid;
  const { errorBounds, certificate } = certifyRelease(bags, plan, 'private');
  const value: PrivateRelease = {
    private: true,
    means,
    noiseVariance,
    epsilon: plan.epsilon,
    neighbouring: 'replace-one-label',
    bounds: [low, high],
    grid: step,
    noiseScale: plan.scale,
    errorBounds,
  };
  return { value, certificate };
}

/** A release whose arguments are in order. */
export interface ReleasePlan {
  grid: LabelGrid;
  epsilon: number;
  scale: NoiseScale;
  failureProbability: number;
}

/** Checks everything before any noise is drawn. */
export function planRelease(
  name: string,
  labels: ArrayLike<number>,
  bags: Bags,
  { epsilon, failureProbability = 0.05, ...gridOptions }: ReleaseOptions,
): ReleasePlan {
  const grid = labelGrid(name, gridOptions);
  const scale = noiseScale(name, grid.sensitivity, epsilon);
  requireProbability(`${name}: failureProbability`, failureProbability);
  requireLabels(name, labels, bags);
  requireExactSums(name, grid, bags.members.length);
  return { grid, epsilon, scale, failureProbability };
}

/** @throws {ShapeError | InvalidArgumentError} labels and bags do not fit, bags are not in order, or a label in one is not finite */
export function requireLabels(name: string, labels: ArrayLike<number>, bags: Bags): void {
  requireLength(`${name}: labels`, labels, bags.samples);
  requireBags(`${name}: bags`, bags);
  for (const sample of bags.members) {
    if (!Number.isFinite(labels[sample])) {
      throw new InvalidArgumentError(
        `${name}: labels[${sample}] is ${labels[sample]}; expected a finite number. Leave the sample out of the bags.`,
      );
    }
  }
}

/** The mechanism, over any bits: `releaseBagMeans` alone passes secure ones. */
export function releaseWith(
  bits: RandomBits,
  labels: ArrayLike<number>,
  bags: Bags,
  { grid, scale }: Pick<ReleasePlan, 'grid' | 'scale'>,
): { means: Float64Array; noiseVariance: Float64Array } {
  const { members, offsets } = bags;
  const means = new Float64Array(offsets.length - 1);
  const noiseVariance = new Float64Array(means.length);
  const variance = discreteLaplaceVariance(scale);
  for (let a = 0; a < means.length; a++) {
    let sum = 0; // whole numbers below 2⁵³: exact
    for (let i = offsets[a]; i < offsets[a + 1]; i++) sum += stepsOf(grid, labels[members[i]]);
    const size = bagSize(bags, a);
    means[a] = meanOfSteps(grid, sum + sampleDiscreteLaplace(bits, scale), size);
    noiseVariance[a] = variance * (grid.step / size) ** 2;
  }
  return { means, noiseVariance };
}
