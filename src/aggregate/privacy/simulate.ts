// Noise that looks like the private one but protects nobody: for planning and experiments.

import type { Certified } from '../../core/certificate.ts';
import { requireOneOf, requireProbability, requireSeed } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import { createRng } from '../../core/rng.ts';
import { type Bags, bagCount, bagMeans, bagSize } from '../bags/bags.ts';
import type { BagAnswers } from '../types.ts';
import { certifyRelease } from './certify-release.ts';
import { epsilonUnits } from './epsilon.ts';
import { type LabelGridOptions, labelGrid } from './label-grid.ts';
import { seededBits } from './random-bits.ts';
import { planRelease, releaseWith, requireLabels } from './release.ts';

/** Means of bags with repeatable noise. */
export interface SimulatedRelease extends BagAnswers {
  /** False: anybody with the seed can take the noise off. */
  readonly private: false;
  noiseVariance: Float64Array;
  /** ε that a private release with as much noise would cost; Infinity: there is no noise. */
  epsilon: number;
  bounds: readonly [number, number];
  /** |mean − mean of the clipped labels| of each bag, at most, shape (bags,). */
  errorBounds: Float64Array;
  /** Share of the labels in the bags that clipping changed: a private release must not tell it. */
  clippedShare: number;
}

export interface SimulateOptions extends Omit<LabelGridOptions, 'bounds'> {
  /** Bounds [L, U] that labels are clipped to. 'auto': least and greatest label, which a private release must not use. */
  bounds: readonly [number, number] | 'auto';
  /** As for `releaseBagMeans`, or Infinity for no noise. */
  epsilon: number;
  /** Seed of the noise, an unsigned 32-bit integer. */
  seed: number;
  /** 'discrete': the exact sampler on the grid, as a private release does. 'continuous': Laplace of scale (U − L)/(kε), without a grid. Default 'discrete'. */
  noise?: 'discrete' | 'continuous' | undefined;
  /** Probability that a bound on an error fails, in (0, 1). Default 0.05. */
  failureProbability?: number | undefined;
}

/**
 * Bag means with the noise a private release would have, repeatable from a seed and therefore NOT private.
 *
 * @param labels - shape (n,), finite
 * @param bags - bags.samples = n
 * @returns means in the unit of the labels; the certificate bounds |mean − mean of the clipped labels| of all bags
 * @throws {InvalidArgumentError} bounds, grid, epsilon or seed leave their range, a label in a bag is not finite, or bags overlap
 * @throws {ShapeError} labels and bags do not fit
 *
 * O(n). Reference: as `releaseBagMeans`; 'continuous' is the Laplace mechanism of arXiv 2401.11081 with the scale that the sensitivity asks for.
 */
export function simulateBagMeans(
  labels: ArrayLike<number>,
  bags: Bags,
  { bounds, epsilon, seed, grid, noise = 'discrete', failureProbability = 0.05 }: SimulateOptions,
): Certified<SimulatedRelease> {
  requireSeed('simulateBagMeans: seed', seed);
  requireOneOf('simulateBagMeans: noise', noise, ['discrete', 'continuous']);
  requireProbability('simulateBagMeans: failureProbability', failureProbability);
  requireLabels('simulateBagMeans', labels, bags);
  const fixed = bounds === 'auto' ? rangeOf(labels, bags) : bounds;
  const { low, high } = labelGrid('simulateBagMeans', { bounds: fixed, grid });
  const clip = (label: number): number => Math.min(Math.max(label, low), high);
  let clipped = 0;
  for (const sample of bags.members) clipped += Number(labels[sample] < low || labels[sample] > high);
  const facts = {
    private: false,
    epsilon,
    bounds: [low, high],
    clippedShare: clipped / bags.members.length,
  } as const;
  const released =
    noise === 'discrete' && epsilon < Infinity
      ? discrete(labels, bags, { bounds: fixed, grid, epsilon, failureProbability }, seed)
      : continuous(
          Float64Array.from(labels, clip),
          bags,
          { range: high - low, epsilon, failureProbability },
          seed,
        );
  const { certificate, ...answers } = released;
  if (bounds === 'auto') {
    certificate.warnings.push(
      'bounds are the least and the greatest label: in a private release they would break the privacy',
    );
  }
  return { value: { ...facts, ...answers }, certificate: { ...certificate, seed } };
}

type Released = Pick<SimulatedRelease, 'means' | 'errorBounds'> & { noiseVariance: Float64Array } & Pick<
    Certified<unknown>,
    'certificate'
  >;

function discrete(
  labels: ArrayLike<number>,
  bags: Bags,
  options: Parameters<typeof planRelease>[3],
  seed: number,
): Released {
  const plan = planRelease('simulateBagMeans', labels, bags, options);
  return { ...releaseWith(seededBits(seed), labels, bags, plan), ...certifyRelease(bags, plan, 'simulated') };
}

/** Laplace noise of scale range/(kε) on the means; none when ε is infinite. */
function continuous(
  clipped: Float64Array,
  bags: Bags,
  { range, epsilon, failureProbability }: { range: number; epsilon: number; failureProbability: number },
  seed: number,
): Released {
  if (epsilon !== Infinity) epsilonUnits('simulateBagMeans: epsilon', epsilon, 'down');
  const rng = createRng(seed).fork('continuous noise');
  // The difference of two exponential numbers has the Laplace distribution; log1p of a number above −1 is finite.
  const laplace = (scale: number): number => scale * (Math.log1p(-rng.next()) - Math.log1p(-rng.next()));
  const count = bagCount(bags);
  const scales = Float64Array.from({ length: count }, (_, a) => range / epsilon / bagSize(bags, a));
  const means = bagMeans(clipped, bags);
  if (epsilon < Infinity)
    scales.forEach((scale, a) => {
      means[a] += laplace(scale);
    });
  const perBag = -Math.expm1(Math.log1p(-failureProbability) / count);
  const errorBounds = scales.map((scale) => -scale * Math.log(perBag));
  return {
    means,
    noiseVariance: scales.map((scale) => 2 * scale * scale),
    errorBounds,
    certificate: {
      statement: 'NOT private (simulated); |simulated mean − mean of the clipped labels| in every bag',
      source: 'Laplace mechanism of arXiv 2401.11081 with scale (U − L)/(kε); exact tail, derived',
      assumptions: [
        { statement: 'numbers of the seeded generator are uniform and independent', status: 'assumed' },
      ],
      bound: {
        value: errorBounds.reduce((a, b) => Math.max(a, b), 0),
        unit: 'label units',
        failureProbability: epsilon === Infinity ? 0 : failureProbability,
        scale: range,
      },
      seed,
      backend: 'none',
      warnings: ['simulated noise: whoever knows the seed can take it off'],
    },
  };
}

function rangeOf(labels: ArrayLike<number>, { members }: Bags): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const sample of members) {
    low = Math.min(low, labels[sample]);
    high = Math.max(high, labels[sample]);
  }
  if (low === high) {
    throw new InvalidArgumentError(
      `simulateBagMeans: all labels are ${low}, so that bounds "auto" have no width; expected two labels that differ. Pass bounds.`,
    );
  }
  return [low, high];
}
