// Confidence intervals. Those for bounded values hold at every sample size; Student's and χ² assume normal values.

import { requireInteger, requireNumber, requireProbability } from '../check.ts';
import { InvalidArgumentError } from '../errors.ts';
import { betaQuantile, chiSquareQuantile, studentTQuantile } from './quantiles.ts';
import type { SampleSummary } from './summary.ts';

/** An interval that covers the true value with probability ≥ confidence over the draw of the sample. */
export interface Interval {
  low: number;
  high: number;
  /** 1 − δ. */
  confidence: number;
}

export interface IntervalOptions {
  /** Probability that the interval covers the true value, in (0, 1). Default 0.95. */
  confidence?: number;
}

export interface BoundedIntervalOptions extends IntervalOptions {
  /** Least value possible. Default 0. */
  min?: number;
  /** Greatest value possible, ≥ min. Default 1. */
  max?: number;
}

/**
 * Interval for the mean of independent values in [min, max], from their mean alone.
 *
 * Half-width (max − min) √(ln(2/δ) / 2n); cut at min and max; [min, max] for n = 0.
 * Source: Hoeffding, JASA 58 (1963), theorem 2, for both sides. Holds for sampling without replacement too (ibid., theorem 4).
 */
export function hoeffdingInterval(
  { count, mean }: Pick<SampleSummary, 'count' | 'mean'>,
  { confidence = 0.95, min = 0, max = 1 }: BoundedIntervalOptions = {},
): Interval {
  requireBounded('hoeffdingInterval', count, mean, confidence, min, max);
  const halfWidth = (max - min) * Math.sqrt(logOdds(2, confidence) / (2 * count));
  return around(count, mean, halfWidth, confidence, min, max);
}

/**
 * Interval for the mean of independent values in [min, max] whose true variance is known (or bounded).
 *
 * The half-width t solves 2 exp(−n t² / (2σ² + 2(max − min) t / 3)) = δ. Below Hoeffding's when σ is small against the range.
 * Source: Bernstein's inequality, e.g. Boucheron, Lugosi, Massart, "Concentration inequalities" (2013), corollary 2.11.
 *
 * @param sample - `variance` is the true one, not that of the sample: for that see `empiricalBernsteinInterval`
 */
export function bernsteinInterval(
  { count, mean, variance }: SampleSummary,
  { confidence = 0.95, min = 0, max = 1 }: BoundedIntervalOptions = {},
): Interval {
  requireBounded('bernsteinInterval', count, mean, confidence, min, max);
  requireNumber('bernsteinInterval: variance', variance, 0);
  const log = logOdds(2, confidence);
  const linear = ((max - min) * log) / 3;
  const halfWidth = (linear + Math.sqrt(linear ** 2 + 2 * count * variance * log)) / count;
  return around(count, mean, halfWidth, confidence, min, max);
}

/**
 * Interval for the mean of independent values in [min, max], with the variance of the sample.
 *
 * Half-width √(2 V ln(4/δ) / n) + 7 (max − min) ln(4/δ) / (3(n − 1)); [min, max] for n < 2.
 * Source: Maurer, Pontil, "Empirical Bernstein bounds" (COLT 2009, arXiv 0907.3740), theorem 4, one δ/2 for each side.
 */
export function empiricalBernsteinInterval(
  { count, mean, variance }: SampleSummary,
  { confidence = 0.95, min = 0, max = 1 }: BoundedIntervalOptions = {},
): Interval {
  requireBounded('empiricalBernsteinInterval', count, mean, confidence, min, max);
  requireNumber('empiricalBernsteinInterval: variance', variance, 0);
  if (count < 2) return { low: min, high: max, confidence };
  const log = logOdds(4, confidence);
  const halfWidth = Math.sqrt((2 * variance * log) / count) + (7 * (max - min) * log) / (3 * (count - 1));
  return around(count, mean, halfWidth, confidence, min, max);
}

/**
 * Upper limit of the mean of independent values in [0, 1], from their mean alone: exceeded with probability at most δ.
 *
 * The μ ≥ mean with n · kl(mean, μ) = ln(1/δ), kl the relative entropy of two coins; far below Hoeffding's limit when the mean is near 0. 1 for n = 0.
 * Source: Hoeffding, JASA 58 (1963), theorem 1; holds for sampling without replacement too (ibid., theorem 4).
 */
export function chernoffUpperLimit(mean: number, count: number, failureProbability: number): number {
  requireNumber('chernoffUpperLimit: mean', mean, 0, 1);
  requireInteger('chernoffUpperLimit: count', count, 0);
  requireProbability('chernoffUpperLimit: failureProbability', failureProbability);
  if (count === 0 || mean === 1) return 1;
  const target = -Math.log(failureProbability) / count;
  const entropy = (mu: number) =>
    (mean === 0 ? 0 : mean * Math.log(mean / mu)) + (1 - mean) * (Math.log1p(-mean) - Math.log1p(-mu));
  let low = mean;
  let high = 1;
  // Halving to the last bit but a few; the upper end is returned, so that the limit holds whatever is left.
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (entropy(middle) < target) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * Interval for the mean of normal values, or, approximately, of many values with finite variance.
 *
 * mean ∓ t √(variance / n), t the (1 − δ/2) quantile of n − 1 degrees of freedom; all numbers for n < 2.
 */
export function studentTInterval(
  { count, mean, variance }: SampleSummary,
  { confidence = 0.95 }: IntervalOptions = {},
): Interval {
  requireInteger('studentTInterval: count', count, 0);
  requireNumber('studentTInterval: mean', mean);
  requireNumber('studentTInterval: variance', variance, 0);
  requireProbability('studentTInterval: confidence', confidence);
  if (count < 2) return { low: -Infinity, high: Infinity, confidence };
  const halfWidth = studentTQuantile((1 - confidence) / 2, count - 1, 'upper') * Math.sqrt(variance / count);
  return { low: mean - halfWidth, high: mean + halfWidth, confidence };
}

/**
 * Interval for the variance of normal values: exact, but not robust when they are not normal.
 *
 * [ν V / q(1 − δ/2), ν V / q(δ/2)], q the χ² quantile of ν degrees of freedom; [0, ∞] for ν = 0.
 *
 * @param variance - unbiased estimate V, ≥ 0, such as `summarize(values).variance`
 * @param degrees - of freedom ν of the estimate, count − 1 for a sample
 */
export function chiSquareInterval(
  variance: number,
  degrees: number,
  { confidence = 0.95 }: IntervalOptions = {},
): Interval {
  requireNumber('chiSquareInterval: variance', variance, 0);
  requireNumber('chiSquareInterval: degrees', degrees, 0);
  requireProbability('chiSquareInterval: confidence', confidence);
  if (degrees === 0) return { low: 0, high: Infinity, confidence };
  const tail = (1 - confidence) / 2;
  const scaled = degrees * variance;
  return {
    low: scaled / chiSquareQuantile(tail, degrees, 'upper'),
    high: variance === 0 ? 0 : scaled / chiSquareQuantile(tail, degrees),
    confidence,
  };
}

/**
 * Interval for a probability, from the number of successes in independent trials; never covers less than promised.
 *
 * Quantiles of beta distributions; [0, 1 − (δ/2)^(1/n)] for no success, [0, 1] for no trial.
 * Source: Clopper, Pearson, Biometrika 26 (1934).
 */
export function clopperPearsonInterval(
  successes: number,
  trials: number,
  { confidence = 0.95 }: IntervalOptions = {},
): Interval {
  requireInteger('clopperPearsonInterval: trials', trials, 0);
  requireInteger('clopperPearsonInterval: successes', successes, 0, trials);
  requireProbability('clopperPearsonInterval: confidence', confidence);
  const tail = (1 - confidence) / 2;
  const failures = trials - successes;
  return {
    low: successes === 0 ? 0 : betaQuantile(tail, successes, failures + 1),
    high: failures === 0 ? 1 : betaQuantile(tail, successes + 1, failures, 'upper'),
    confidence,
  };
}

/** ln(factor / δ). */
function logOdds(factor: number, confidence: number): number {
  return Math.log(factor) - Math.log1p(-confidence);
}

function around(
  count: number,
  mean: number,
  halfWidth: number,
  confidence: number,
  min: number,
  max: number,
): Interval {
  if (count === 0) return { low: min, high: max, confidence };
  return { low: Math.max(min, mean - halfWidth), high: Math.min(max, mean + halfWidth), confidence };
}

function requireBounded(
  where: string,
  count: number,
  mean: number,
  confidence: number,
  min: number,
  max: number,
): void {
  requireInteger(`${where}: count`, count, 0);
  requireProbability(`${where}: confidence`, confidence);
  requireNumber(`${where}: min`, min);
  requireNumber(`${where}: max`, max, min);
  // A mean of rounded sums may leave the range by roundings of its own.
  const slack = 1e-12 * Math.max(Math.abs(min), Math.abs(max));
  if (count > 0 && !(mean >= min - slack && mean <= max + slack)) {
    throw new InvalidArgumentError(
      `${where}: mean is ${mean}; expected a value in [${min}, ${max}]. Set min and max to the range of the values.`,
    );
  }
}
