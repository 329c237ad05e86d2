// On which scale the spread within a bag is counted, and how noisy the responses of a family are at a mean.

import { InvalidArgumentError } from '../../core/errors.ts';
import type { Family } from '../types.ts';

/** Values as their canonical link, shape (n,). @throws {InvalidArgumentError} naming a mean outside the open domain of the family */
export function onLinkScale(where: string, means: Float64Array, family: Family): Float64Array {
  if (family === 'linear') return means;
  const [name, inside, link] = LINKS[family];
  return means.map((mean, i) => {
    const value = link(mean);
    if (!inside(mean) || !Number.isFinite(value)) {
      throw new InvalidArgumentError(
        `${where}: values[${i}] is ${mean}; expected ${name} for costScale "link" of family "${family}". Give predicted means, or use costScale "mean".`,
      );
    }
    return value;
  });
}

/** b″ at a mean: Var(y) / φ. @throws {InvalidArgumentError} naming a mean outside the closed domain of the family */
export function varianceAt(where: string, means: Float64Array, family: Family): Float64Array {
  return means.map((mean, i) => {
    const variance = family === 'linear' ? 1 : family === 'logistic' ? mean * (1 - mean) : mean;
    if (variance < 0) {
      throw new InvalidArgumentError(
        `${where}: values[${i}] is ${mean}, which is no mean of family "${family}"; expected ${family === 'logistic' ? 'a probability' : 'a rate ≥ 0'} where noisePenalty is given.`,
      );
    }
    return variance;
  });
}

const LINKS: Record<
  Exclude<Family, 'linear'>,
  [name: string, inside: (mean: number) => boolean, link: (mean: number) => number]
> = {
  logistic: ['a probability in (0, 1)', (p) => p > 0 && p < 1, (p) => Math.log(p) - Math.log1p(-p)],
  poisson: ['a rate > 0', (rate) => rate > 0, Math.log],
};
