// What a linear fit from bag means promises about its coefficients.

import type { Assumption, Certificate } from '../../core/certificate.ts';
import {
  biasOperator,
  coefficientCovariance,
  conditionalErrorAt,
  spectralNorm,
} from './conditional-error.ts';
import type { LinearSolution, LinearSystem } from './linear-system.ts';
import type { ResidualVariance } from './residual-variance.ts';

/** Estimates of the two parts of ‖θ − θ*‖, with the bag-level fit in place of θ* and an estimate in place of σ². */
export interface PlugInError {
  /** ‖E θ − θ*‖. */
  bias: number;
  /** √tr of the covariance of θ: noise of single responses and of privacy. */
  deviation: number;
}

export interface LinearCertificateOptions {
  variance: ResidualVariance | undefined;
  knownVariance: number | undefined;
  ridge: number;
  coefficientBound: number | undefined;
  failureProbability: number;
  seed: number;
  warnings: readonly string[];
}

/**
 * The certificate of ‖θ − θ*‖₂.
 *
 * Two bounds are possible, and the smaller one is given. (1) The bag-level fit θ̃ is unbiased, so ‖θ − θ*‖ ≤ ‖θ − θ̃‖ + √(tr Cov θ̃ / δ) by Markov's
 * inequality: no knowledge of θ* is needed, but no gain from ρ shows. (2) With a public bound B on ‖θ*‖: ‖bias operator‖·B + √(tr Cov θ / δ).
 * σ² is known, or the upper χ² limit of the bag residuals at δ/2 (exact for Gaussian noise). Derived.
 */
export function certifyLinearFit(
  system: LinearSystem,
  solution: LinearSolution,
  bagLevel: LinearSolution,
  options: LinearCertificateOptions,
): { certificate: Certificate; plugIn: PlugInError | undefined } {
  const { variance, knownVariance, ridge, coefficientBound, failureProbability, seed } = options;
  const { coefficients, rho } = solution;
  const d = coefficients.length;
  const norm = Math.hypot(...coefficients);
  const share = knownVariance === undefined ? failureProbability / 2 : failureProbability;
  const limit = knownVariance ?? variance?.upperLimit(failureProbability / 2);
  const unbiased = bagLevel.solver.rank === d;
  const bounds: number[] = [];
  if (limit !== undefined) {
    const deviation = (of: LinearSolution): number =>
      Math.sqrt(Math.max(0, coefficientCovariance(system, of, limit).trace()) / share);
    if (unbiased) {
      bounds.push(
        Math.hypot(...coefficients.map((x, j) => x - bagLevel.coefficients[j])) + deviation(bagLevel),
      );
    }
    if (coefficientBound !== undefined) {
      bounds.push(
        spectralNorm(biasOperator(system, solution, ridge)) * coefficientBound + deviation(solution),
      );
    }
  }
  const estimate = knownVariance ?? variance?.estimate;
  return {
    certificate: {
      statement:
        'Euclidean distance of the coefficients from those of a linear truth, given features and bags',
      source: 'derived: exact bias and covariance of the closed form, Markov; losses of arXiv 2401.11081',
      assumptions: assumptionsOf(system, options),
      bound: {
        value: Math.min(Infinity, ...bounds),
        unit: 'response units by feature unit',
        failureProbability,
        scale: norm,
      },
      seed,
      backend: system.statistics.backend,
      warnings: [...options.warnings, ...warningsOf(system, solution, bagLevel, options)],
    },
    plugIn:
      unbiased && estimate !== undefined
        ? plugInError(system, solution, bagLevel, ridge, estimate, rho)
        : undefined,
  };
}

function plugInError(
  system: LinearSystem,
  solution: LinearSolution,
  bagLevel: LinearSolution,
  ridge: number,
  variance: number,
  rho: number,
): PlugInError {
  const error = conditionalErrorAt(system, solution, ridge, bagLevel.coefficients, variance);
  return {
    bias: rho === 0 && ridge === 0 ? 0 : Math.hypot(...error.bias),
    deviation: Math.sqrt(Math.max(0, error.covariance.trace())),
  };
}

function assumptionsOf(
  { statistics }: LinearSystem,
  { knownVariance, coefficientBound, variance }: LinearCertificateOptions,
): Assumption[] {
  const assumptions: Assumption[] = [
    { statement: 'mean responses are linear in the features', status: 'assumed' },
    {
      statement: 'noise of single responses is independent, of one variance σ², and independent of the bags',
      status: 'assumed',
    },
  ];
  if (knownVariance !== undefined) {
    assumptions.push({ statement: `σ² = ${knownVariance}, as given`, status: 'assumed' });
  } else {
    assumptions.push({
      statement: 'noise is Gaussian, for the χ² limit of σ² at half of the failure probability',
      status: 'assumed',
      ...(variance && { measured: variance.estimate, measure: 'plug-in estimate of σ²' }),
    });
  }
  if (statistics.noiseWeight > 0) {
    assumptions.push({
      statement: 'privacy noise has the stated variances, mean 0, and is independent of the responses',
      status: 'assumed',
    });
  }
  if (coefficientBound !== undefined) {
    assumptions.push({ statement: `‖θ*‖ ≤ ${coefficientBound}, as given`, status: 'assumed' });
  }
  return assumptions;
}

function warningsOf(
  { statistics }: LinearSystem,
  { rho, solver, coefficients }: LinearSolution,
  bagLevel: LinearSolution,
  { coefficientBound, variance, knownVariance }: LinearCertificateOptions,
): string[] {
  const d = coefficients.length;
  const warnings: string[] = [];
  if (solver.rank < d) {
    warnings.push(
      `The objective determines ${solver.rank} of ${d} directions: the coefficients are the shortest of many. Pass a ridge or more bags, or drop dependent features.`,
    );
  }
  if (rho > 1)
    warnings.push(`rho is ${rho}, above the instance-level loss at 1: the fit is shrunken further.`);
  if (bagLevel.solver.rank < d && coefficientBound === undefined) {
    warnings.push(
      `${statistics.bags} bags do not determine ${d} coefficients without bias, so nothing is promised; a coefficientBound would allow a bound.`,
    );
  } else if (variance === undefined && knownVariance === undefined) {
    warnings.push(
      'Too few bags to estimate the variance of responses: nothing is promised. Pass residualVariance.',
    );
  }
  return warnings;
}
