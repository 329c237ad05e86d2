// Variances of the estimate of F = Σuℓ under each scheme, from all losses: exact, no assumption on scores.

import { requireInteger, requireLength, requireNonNegative, requireNumber } from '../core/check.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import { CompensatedSum } from '../core/sums.ts';

/**
 * Variance of the Hansen-Hurwitz estimate: (1/s)·(Σ (uℓ)²/p − (Σuℓ)²). Holds whatever the scores were made of.
 *
 * @param losses - ℓ, shape (n,), any sign
 * @param p - probabilities, shape (n,), > 0 wherever uℓ ≠ 0
 * @param draws - s ≥ 1
 * @param rowWeights - u, shape (n,). Default: ones
 * @returns variance, unit of the loss squared
 * @throws {InvalidArgumentError} p is 0 where a loss is not: the estimate would be biased
 *
 * Time O(n). Reference: derived, docs/selection.md.
 */
export function exactVariance(
  losses: ArrayLike<number>,
  p: ArrayLike<number>,
  draws: number,
  rowWeights?: ArrayLike<number>,
): number {
  requireLength('exactVariance: p', p, losses.length);
  requireInteger('exactVariance: draws', draws, 1);
  const total = new CompensatedSum();
  for (let e = 0; e < losses.length; e++) total.add((rowWeights ? rowWeights[e] : 1) * losses[e]);
  // Σ p (y − F)² with y = uℓ/p rather than Σ(uℓ)²/p − F²: no cancellation when p is nearly proportional to ℓ.
  const sum = new CompensatedSum();
  for (let e = 0; e < losses.length; e++) {
    const value = (rowWeights ? rowWeights[e] : 1) * losses[e];
    if (p[e] > 0) sum.add(p[e] * (value / p[e] - total.value) ** 2);
    else if (value !== 0) throw unreachable('exactVariance', 'p', e, losses[e]);
  }
  return sum.value / draws;
}

/**
 * Variance of the Horvitz-Thompson estimate under Poisson sampling: Σ (uℓ)²(1−π)/π.
 *
 * @param inclusion - π, shape (n,), > 0 wherever uℓ ≠ 0
 * @throws {InvalidArgumentError} π is 0 where a loss is not
 */
export function poissonVariance(
  losses: ArrayLike<number>,
  inclusion: ArrayLike<number>,
  rowWeights?: ArrayLike<number>,
): number {
  requireLength('poissonVariance: inclusion', inclusion, losses.length);
  const sum = new CompensatedSum();
  for (let e = 0; e < losses.length; e++) {
    const value = (rowWeights ? rowWeights[e] : 1) * losses[e];
    if (inclusion[e] > 0) sum.add((value ** 2 * (1 - inclusion[e])) / inclusion[e]);
    else if (value !== 0) throw unreachable('poissonVariance', 'inclusion', e, losses[e]);
  }
  return sum.value;
}

/**
 * What a uniform floor α promises of the variance, whatever the scores: s·Var ≤ n·Σℓ²/α − (Σℓ)².
 *
 * @returns upper bound of the variance of s draws from any p ≥ α/n
 */
export function floorVarianceBound(losses: ArrayLike<number>, alpha: number, draws: number): number {
  requireNumber('floorVarianceBound: alpha', alpha, Number.MIN_VALUE, 1);
  requireNonNegative('floorVarianceBound: losses', losses);
  requireInteger('floorVarianceBound: draws', draws, 1);
  const total = new CompensatedSum();
  const squares = new CompensatedSum();
  for (let e = 0; e < losses.length; e++) {
    total.add(losses[e]);
    squares.add(losses[e] ** 2);
  }
  return ((losses.length * squares.value) / alpha - total.value ** 2) / draws;
}

function unreachable(where: string, name: string, e: number, loss: number): InvalidArgumentError {
  return new InvalidArgumentError(
    `${where}: ${name}[${e}] is 0 but the loss there is ${loss}; expected a positive probability. ` +
      'A row that cannot be drawn biases the estimate: give it a uniform floor (alpha > 0).',
  );
}
