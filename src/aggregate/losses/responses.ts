// Answers as sources give them, as means.

import { requireLength, requireOneOf } from '../../core/check.ts';
import { DataError } from '../../core/errors.ts';
import { type Bags, requireBags } from '../bags/bags.ts';
import type { BagAnswers } from '../types.ts';

/** mean: mean response of a bag · sum: sum over its members · proportion: share of members with the property, in [0, 1]. */
export const RESPONSES = ['mean', 'sum', 'proportion'] as const;
export type Responses = (typeof RESPONSES)[number];

export interface ResponseOptions {
  /** What the values are: never guessed. */
  responses: Responses;
  /** Variance of the privacy noise in each value, in squared units of the values, shape (bags,). Default: none. */
  noiseVariance?: ArrayLike<number> | undefined;
  /** Proportions may leave [0, 1] because noise was added to them. Default: when noiseVariance is given. */
  noisy?: boolean | undefined;
}

/**
 * Mean responses from means, sums or proportions of bags. Noisy proportions outside [0, 1] stay as they are: the square loss needs them.
 *
 * @param values - one a bag, shape (bags,)
 * @throws {ShapeError} lengths differ @throws {InvalidArgumentError} bags are not valid, or `responses` is not one of the three
 * @throws {DataError} a value is not finite, or a proportion leaves [0, 1] without noise: the message names the bag
 *
 * O(n).
 */
export function toBagAnswers(
  values: ArrayLike<number>,
  bags: Bags,
  { responses, noiseVariance, noisy = noiseVariance !== undefined }: ResponseOptions,
): BagAnswers {
  const name = 'toBagAnswers';
  requireOneOf(`${name}: responses`, responses, RESPONSES);
  requireBags(`${name}: bags`, bags);
  const count = bags.offsets.length - 1;
  requireLength(`${name}: values`, values, count);
  if (noiseVariance) requireLength(`${name}: noiseVariance`, noiseVariance, count);
  const means = new Float64Array(count);
  const variances = noiseVariance && new Float64Array(count);
  for (let a = 0; a < count; a++) {
    const value = values[a];
    if (!Number.isFinite(value)) {
      throw new DataError(
        `${name}: the ${responses} of bag ${a} is ${value}; expected a finite number. Leave that bag out.`,
      );
    }
    if (responses === 'proportion' && !noisy && !(value >= 0 && value <= 1)) {
      throw new DataError(
        `${name}: the proportion of bag ${a} is ${value}; expected a number in [0, 1]. ` +
          "Pass noisy: true if noise was added, or responses: 'sum' if these are counts.",
      );
    }
    const divisor = responses === 'sum' ? bags.offsets[a + 1] - bags.offsets[a] : 1;
    means[a] = value / divisor;
    if (variances) {
      const variance = noiseVariance[a];
      if (!(variance >= 0 && variance < Infinity)) {
        throw new DataError(
          `${name}: the noise variance of bag ${a} is ${variance}; expected a finite number ≥ 0. Leave that bag out.`,
        );
      }
      variances[a] = variance / divisor ** 2;
    }
  }
  return { means, noiseVariance: variances };
}
