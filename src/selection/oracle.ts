// Exact answers, slow and obvious: what tests, audits and studies compare with.

import { requireInteger, requireLength } from '../core/check.ts';
import { InvalidArgumentError } from '../core/errors.ts';

/** Σuℓ by definition. */
export function exactTotal(losses: ArrayLike<number>, rowWeights?: ArrayLike<number>): number {
  let total = 0;
  for (let e = 0; e < losses.length; e++) total += (rowWeights ? rowWeights[e] : 1) * losses[e];
  return total;
}

/** The score of the paper, row by row: ℓ(cᵢ) + Λᵢ·‖E(e) − E(cᵢ)‖^z, from the embeddings themselves. */
export function naiveScores(
  rows: readonly (readonly number[])[],
  labels: ArrayLike<number>,
  representatives: ArrayLike<number>,
  losses: ArrayLike<number>,
  lambda: number,
  power: number,
): number[] {
  return rows.map((point, e) => {
    const center = rows[representatives[labels[e]]];
    const distance = Math.hypot(...point.map((x, j) => x - center[j]));
    return losses[representatives[labels[e]]] + lambda * distance ** power;
  });
}

/**
 * Mean and variance of the Hansen-Hurwitz estimate by going through all nˢ samples.
 *
 * @throws {InvalidArgumentError} more than 10⁶ samples
 */
export function enumerateHansenHurwitz(
  losses: ArrayLike<number>,
  p: ArrayLike<number>,
  draws: number,
): { mean: number; variance: number } {
  const n = losses.length;
  requireLength('enumerateHansenHurwitz: p', p, n);
  requireInteger('enumerateHansenHurwitz: draws', draws, 1);
  requireFew('enumerateHansenHurwitz', n ** draws);
  let mean = 0;
  let square = 0;
  for (let code = 0; code < n ** draws; code++) {
    let chance = 1;
    let estimate = 0;
    for (let j = 0, rest = code; j < draws; j++, rest = Math.floor(rest / n)) {
      const e = rest % n;
      chance *= p[e];
      if (p[e] > 0) estimate += losses[e] / (draws * p[e]);
    }
    mean += chance * estimate;
    square += chance * estimate ** 2;
  }
  return { mean, variance: square - mean ** 2 };
}

/**
 * Mean and variance of the Horvitz-Thompson estimate of Poisson sampling by going through all 2ⁿ sub-sets.
 *
 * @throws {InvalidArgumentError} more than 10⁶ sub-sets
 */
export function enumeratePoisson(
  losses: ArrayLike<number>,
  inclusion: ArrayLike<number>,
): { mean: number; variance: number } {
  const n = losses.length;
  requireLength('enumeratePoisson: inclusion', inclusion, n);
  requireFew('enumeratePoisson', 2 ** n);
  let mean = 0;
  let square = 0;
  for (let subset = 0; subset < 2 ** n; subset++) {
    let chance = 1;
    let estimate = 0;
    for (let e = 0; e < n; e++) {
      const isIn = Math.floor(subset / 2 ** e) % 2 === 1;
      chance *= isIn ? inclusion[e] : 1 - inclusion[e];
      if (isIn && inclusion[e] > 0) estimate += losses[e] / inclusion[e];
    }
    mean += chance * estimate;
    square += chance * estimate ** 2;
  }
  return { mean, variance: square - mean ** 2 };
}

function requireFew(where: string, samples: number): void {
  if (samples > 1e6) {
    throw new InvalidArgumentError(
      `${where}: there are ${samples} samples; expected at most 10⁶. Use fewer rows or draws.`,
    );
  }
}
