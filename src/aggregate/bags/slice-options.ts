// What sliceBags is asked for, checked and with every default filled in.

import {
  requireFinite,
  requireInteger,
  requireLength,
  requireNumber,
  requireOneOf,
  requireSeed,
} from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import type { RunOptions } from '../../core/progress.ts';
import type { Family } from '../types.ts';
import { onLinkScale, varianceAt } from './cost-scale.ts';
import { type Part, type PartOptions, requireBagSize, requirePart } from './part.ts';

export interface SliceOptions extends PartOptions, RunOptions {
  /** Least samples a bag, k ≥ 1: what the platform demands. Not beside `exactSize`. */
  minSize?: number | undefined;
  /**
   * Most samples a bag, ≥ minSize. Default: 2k − 1, beyond which a bag only gains by being halved; with a penalty or weights of noise,
   * where that is not so: n.
   */
  maxSize?: number | undefined;
  /** All bags of this size, the remainder one each to the last: the same as `chunkBags`. Then nothing is left to optimise. */
  exactSize?: number | undefined;
  /** Added to the cost for each bag, ≥ 0, in squared units of the cost scale: more of it, larger bags. Default 0. */
  penalty?: number | undefined;
  /**
   * Weight of the noise term of generalised linear models, ≥ 0: adds noisePenalty · (mean of b″ over the bag) for each bag. Needs `family`.
   * Every size up to `maxSize` is then tried in every row, so give one when there are many samples. Default 0.
   */
  noisePenalty?: number | undefined;
  /** Weight of each sample in the cost, 1e-50 to 1e50, shape (n,). Sizes count samples, whatever they weigh. Default: ones. */
  weights?: Float64Array | undefined;
  /** Count the spread of the means themselves, or of their canonical link, which needs `family`. Default 'mean'. */
  costScale?: 'mean' | 'link' | undefined;
  /** How responses are distributed about their means. */
  family?: Family | undefined;
  /** Unsigned 32-bit integer: the order of equal values. */
  seed: number;
  /** What to do with predictions that are NaN or infinite, as of a model that diverged: refuse, or use random bags and say so. Default 'throw'. */
  onBadPrior?: 'throw' | 'random' | undefined;
}

/** What is to be cut and how. */
export interface SliceRequest {
  part: Part;
  /** On the cost scale, shape (n,). */
  values: Float64Array;
  minSize: number;
  maxSize: number;
  /** No largest size was asked for and 2k − 1 does not hold. */
  isUnbounded: boolean;
  exact: boolean;
  penalty: number;
  weights: Float64Array | undefined;
  noise: Float64Array | undefined;
}

/** @throws {InvalidArgumentError | ShapeError} as `sliceBags` says; but for values that are not finite: see `firstBadValue` */
export function resolveSlice(values: Float64Array, options: SliceOptions): SliceRequest {
  const { minSize, exactSize, penalty = 0, noisePenalty = 0, weights, costScale = 'mean', family } = options;
  const part = requirePart('sliceBags', options, values.length);
  requireSeed('sliceBags: seed', options.seed);
  requireOneOf('sliceBags: costScale', costScale, ['mean', 'link']);
  if (family !== undefined) requireOneOf('sliceBags: family', family, ['linear', 'logistic', 'poisson']);
  requireOneOf('sliceBags: onBadPrior', options.onBadPrior ?? 'throw', ['throw', 'random']);
  requireNumber('sliceBags: penalty', penalty, 0);
  requireNumber('sliceBags: noisePenalty', noisePenalty, 0);
  if ((minSize === undefined) === (exactSize === undefined)) {
    throw new InvalidArgumentError(
      `sliceBags: minSize is ${minSize}, exactSize ${exactSize}; expected one of them. Leave the other out.`,
    );
  }
  if ((costScale === 'link' || noisePenalty > 0) && family === undefined) {
    throw new InvalidArgumentError(
      `sliceBags: ${costScale === 'link' ? 'costScale "link"' : 'noisePenalty'} needs a family; expected linear, logistic or poisson.`,
    );
  }
  if (weights) {
    requireLength('sliceBags: weights', weights, values.length);
    requirePositiveWeights(weights);
  }
  const size = exactSize ?? minSize!;
  requireBagSize('sliceBags', exactSize === undefined ? 'minSize' : 'exactSize', size, part.count);
  const request = {
    part,
    values,
    minSize: size,
    penalty,
    weights,
    noise: undefined as Float64Array | undefined,
    exact: exactSize !== undefined,
  };
  const sizes = resolveSizes(options, size, part.count, penalty > 0 || noisePenalty > 0);
  return { ...request, ...sizes };
}

/** Values on their cost scale and the noise of each: once it is known that they are finite. */
export function onCostScale(request: SliceRequest, options: SliceOptions): SliceRequest {
  const { noisePenalty = 0, costScale = 'mean', family = 'linear' } = options;
  const { values } = request;
  const noise =
    noisePenalty > 0
      ? varianceAt('sliceBags', values, family).map((variance) => noisePenalty * variance)
      : undefined;
  if (noise) requireFinite('sliceBags: noisePenalty times variance', noise);
  return {
    ...request,
    noise,
    values: costScale === 'link' ? onLinkScale('sliceBags', values, family) : values,
  };
}

/** Position of the first value that is NaN or infinite; −1: there is none. */
export function firstBadValue(values: Float64Array): number {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return i;
  return -1;
}

function resolveSizes(
  { maxSize, exactSize }: SliceOptions,
  minSize: number,
  count: number,
  hasPenalty: boolean,
): { maxSize: number; isUnbounded: boolean } {
  if (exactSize !== undefined) {
    if (maxSize !== undefined || hasPenalty) {
      throw new InvalidArgumentError(
        'sliceBags: exactSize leaves no choice; expected neither maxSize nor a penalty beside it. Use minSize.',
      );
    }
    return { maxSize: minSize, isUnbounded: false };
  }
  if (maxSize === undefined) {
    // Halving a sorted bag of 2k or more never adds to the spread.
    return hasPenalty
      ? { maxSize: count, isUnbounded: true }
      : { maxSize: Math.min(count, 2 * minSize - 1), isUnbounded: false };
  }
  requireInteger('sliceBags: maxSize', maxSize, minSize);
  if (Math.ceil(count / maxSize) > Math.floor(count / minSize)) {
    throw new InvalidArgumentError(
      `sliceBags: ${count} samples cannot be cut into bags of ${minSize} to ${maxSize}; expected a number of bags m with m · minSize ≤ ${count} ≤ m · maxSize. Raise maxSize.`,
    );
  }
  return { maxSize: Math.min(count, maxSize), isUnbounded: false };
}

/** Within these no product of a weight, 2³² samples and squares of values up to 2⁴⁰⁰ overflows, nor vanishes for values of 2⁻⁴⁰⁰. */
const [LEAST_WEIGHT, MOST_WEIGHT] = [1e-50, 1e50];

function requirePositiveWeights(weights: Float64Array): void {
  for (let i = 0; i < weights.length; i++) {
    if (!(weights[i] >= LEAST_WEIGHT && weights[i] <= MOST_WEIGHT)) {
      throw new InvalidArgumentError(
        `sliceBags: weights[${i}] is ${weights[i]}; expected a number from ${LEAST_WEIGHT} to ${MOST_WEIGHT}. Leave out samples of weight 0.`,
      );
    }
  }
}
