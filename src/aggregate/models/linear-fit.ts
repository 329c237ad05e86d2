// Linear models from bag means: the interpolating square loss has a closed form.

import type { Certified } from '../../core/certificate.ts';
import { requireNumber, requireProbability, requireSeed } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import type { RunOptions } from '../../core/progress.ts';
import { bagWeights, type Weighting } from '../losses/weights.ts';
import type { AggregateData, AggregateModel } from '../types.ts';
import { type RhoGridOptions, type RhoSelection, selectRho } from './cross-validate.ts';
import { curatedRatio } from './curated.ts';
import { certifyLinearFit, type PlugInError } from './linear-certificate.ts';
import { linearInference } from './linear-inference.ts';
import { linearModel } from './linear-model.ts';
import { type LinearSystem, linearSystem, solveAt } from './linear-system.ts';
import { plugInRho } from './plug-in-rho.ts';
import { requireBagData, type Unassigned } from './require-data.ts';
import { residualVariance } from './residual-variance.ts';
import type { SandwichInference } from './sandwich.ts';
import { collectStatistics, type LinearStatistics } from './statistics.ts';

export interface LinearFitOptions extends RhoGridOptions, RunOptions {
  /** ρ ≥ 0: 0 fits bag means, 1 gives every sample its bag's mean as label; above 1 shrinks still more. 'cv': chosen by `crossValidateRho`. 'theory': best for random bags by the asymptotic risk, with signal and noise estimated from the answers; mostly better than 'cv' unless bags hardly outnumber features, and wrong on bags put together by a model. */
  rho: number | 'cv' | 'theory';
  /** Take the greatest ρ within one standard error of the best one, with 'cv'. Default false. */
  oneStandardError?: boolean | undefined;
  /** λ ≥ 0 in Σ w (ȳ_a − f̄_a)² + ρ Σ (w/k) (f_i − f̄_a)² + λ‖θ‖², never on the intercept. Default 0. */
  ridge?: number | undefined;
  /** Default true. */
  intercept?: boolean | undefined;
  /** How much each bag counts. Default `size`; see `WeightingOptions`. `precision` estimates the variance of single responses when none is given. */
  weighting?: Weighting | undefined;
  /** Variance σ² of a single response about its mean, when known. Default: estimated from the bags. */
  residualVariance?: number | undefined;
  /** Confidence of intervals from the bag-level sandwich covariance, in (0, 1). Default: none are computed; they take a second pass. */
  confidence?: number | undefined;
  /** Public bound on ‖θ*‖₂, which lets the certificate bound the bias without bag-level estimates. Default: none. */
  coefficientBound?: number | undefined;
  /** What to do about samples in no bag. Default `error`. */
  unassigned?: Unassigned | undefined;
  /** Probability that the certificate's bound may fail, in (0, 1). Default 0.05. */
  failureProbability?: number | undefined;
  /** Seed of the folds of 'cv'. Default 0. */
  seed?: number | undefined;
}

export interface LinearFit {
  /** θ, shape (d,), in units of the response by units of the features. */
  coefficients: Float64Array;
  /** Prediction at x = 0; 0 without an intercept. */
  intercept: number;
  rho: number;
  ridge: number;
  /** Directions of the features that the objective determines, ≤ d. */
  rank: number;
  /** True when rank < d: the coefficients are the shortest of all that minimise the objective. */
  rankDeficient: boolean;
  /** Variance of single responses about their mean, net of privacy noise; undefined when there are too few bags to tell. */
  residualVariance: number | undefined;
  /** Size of bias and noise in θ, with estimates in place of unknowns; undefined when they cannot be estimated. */
  plugInError: PlugInError | undefined;
  /** With `confidence`. */
  inference: SandwichInference | undefined;
  /** With ρ 'cv'. */
  crossValidation: RhoSelection | undefined;
  model: AggregateModel;
}

/**
 * Fits a linear model to bag means by the interpolating square loss (1 − ρ)·bag-level + ρ·instance-level.
 *
 * One pass collects G = Σ w x̄x̄ᵀ and W = Σ (w/k) Σ (x − x̄)(x − x̄)ᵀ about the mean of the features; (G + ρW + λI) θ = Σ w x̄ ȳ is solved by Cholesky, or
 * for the shortest θ when it is singular to about 12 digits.
 *
 * @returns the fit; the certificate bounds ‖θ − θ*‖₂ for a linear truth θ*
 * @throws {ShapeError} shapes do not fit @throws {DataError} a feature, mean or noise variance is not finite
 * @throws {InvalidArgumentError} bags overlap or are empty, a sample is in none, an option leaves its range
 *
 * Time O(n d² + d³), memory O(d²); with 'cv' see `crossValidateRho`.
 * Reference: arXiv 2401.11081 (losses); closed form, error and intervals are derived.
 *
 * @example
 * const { value, certificate } = await fitLinear({ features, bags, means }, { rho: 0.1 });
 */
export async function fitLinear(
  data: AggregateData,
  options: LinearFitOptions,
): Promise<Certified<LinearFit>> {
  const name = 'fitLinear';
  const { rho, ridge = 0, intercept = true, confidence, failureProbability = 0.05, seed = 0 } = options;
  requireLinearOptions(name, options);
  if (typeof rho === 'number') requireNumber(`${name}: rho`, rho, 0);
  if (confidence !== undefined) requireProbability(`${name}: confidence`, confidence);
  if (options.coefficientBound !== undefined) {
    requireNumber(`${name}: coefficientBound`, options.coefficientBound, 0);
  }
  requireProbability(`${name}: failureProbability`, failureProbability);
  requireSeed(`${name}: seed`, seed);
  requireBagData(name, data, options.unassigned ?? 'error');

  const weights = await linearWeights(name, data, options);
  let statistics: LinearStatistics;
  let crossValidation: RhoSelection | undefined;
  if (rho === 'cv') {
    const chosen = await selectRho(name, data, weights, { ...options, ridge, intercept, seed });
    crossValidation = chosen.selection;
    statistics = chosen.statistics;
  } else {
    [statistics] = await collectStatistics(data, weights, { ...options, name, centered: intercept });
  }
  const system = linearSystem(statistics, intercept);
  const warnings = [...(crossValidation?.warnings ?? [])];
  let used: number;
  if (crossValidation) used = crossValidation[options.oneStandardError ? 'oneStandardError' : 'rho'];
  else if (rho === 'theory') used = theoryRho(name, system, ridge, warnings);
  else used = rho as number;
  const solution = solveAt(system, used, ridge);
  const bagLevel = solveAt(system, 0, 0);
  const variance = residualVariance(system, bagLevel);
  const { certificate, plugIn } = certifyLinearFit(system, solution, bagLevel, {
    variance,
    knownVariance: options.residualVariance,
    ridge,
    coefficientBound: options.coefficientBound,
    failureProbability,
    seed,
    warnings,
  });
  const { coefficients, level, solver } = solution;
  const inference =
    confidence === undefined
      ? undefined
      : await linearInference(data, weights, system, solution, { ...options, confidence });
  return {
    value: {
      coefficients,
      intercept: interceptOf(system, coefficients, level),
      rho: used,
      ridge,
      rank: solver.rank,
      rankDeficient: solver.rank < coefficients.length,
      residualVariance: options.residualVariance ?? variance?.estimate,
      plugInError: plugIn,
      inference,
      crossValidation,
      model: linearModel({ coefficients, center: statistics.center, level }),
    },
    certificate,
  };
}

/** Fits for many ρ. */
export interface LinearPath {
  /** As given. */
  rhos: Float64Array;
  /** One row a ρ, shape (rhos, d). */
  coefficients: Float64Array[];
  /** Shape (rhos,). */
  intercepts: Float64Array;
  /** Shape (rhos,). */
  ranks: Uint32Array;
  models: AggregateModel[];
}

/**
 * The fits of `fitLinear` for many ρ, from one pass over the data.
 *
 * Time O(n d² + |rhos| d³), memory O(d² + |rhos| d). Throws as `fitLinear`.
 */
export async function fitLinearPath(
  data: AggregateData,
  rhos: ArrayLike<number>,
  options: Pick<
    LinearFitOptions,
    'ridge' | 'intercept' | 'weighting' | 'residualVariance' | 'unassigned' | 'signal' | 'onProgress'
  > = {},
): Promise<LinearPath> {
  const name = 'fitLinearPath';
  const { ridge = 0, intercept = true, signal } = options;
  requireLinearOptions(name, options);
  if (rhos.length === 0) throw new InvalidArgumentError(`${name}: rhos is empty; expected values ≥ 0.`);
  for (let r = 0; r < rhos.length; r++) requireNumber(`${name}: rhos[${r}]`, rhos[r], 0);
  requireBagData(name, data, options.unassigned ?? 'error');
  const weights = await linearWeights(name, data, options);
  const [statistics] = await collectStatistics(data, weights, { ...options, name, centered: intercept });
  const system = linearSystem(statistics, intercept);
  const solutions = Array.from(rhos, (rho) => {
    signal?.throwIfAborted();
    return solveAt(system, rho, ridge);
  });
  return {
    rhos: Float64Array.from(rhos),
    coefficients: solutions.map(({ coefficients }) => coefficients),
    intercepts: Float64Array.from(solutions, (s) => interceptOf(system, s.coefficients, s.level)),
    ranks: Uint32Array.from(solutions, ({ solver }) => solver.rank),
    models: solutions.map(({ coefficients, level }) =>
      linearModel({ coefficients, center: statistics.center, level }),
    ),
  };
}

/** Weights of the bags; `precision` without a variance takes one from a bag-level fit by sizes. */
async function linearWeights(
  name: string,
  data: AggregateData,
  {
    weighting = 'size',
    residualVariance: known,
    intercept = true,
    signal,
    onProgress,
  }: Partial<LinearFitOptions>,
): Promise<Float64Array> {
  const { bags, noiseVariance } = data;
  if (weighting !== 'precision' || known !== undefined || !noiseVariance) {
    return bagWeights(name, bags, { weighting, residualVariance: known, noiseVariance });
  }
  const sizes = bagWeights(name, bags);
  const [statistics] = await collectStatistics(data, sizes, {
    name,
    centered: intercept,
    signal,
    onProgress,
  });
  const system = linearSystem(statistics, intercept);
  const estimate = residualVariance(system, solveAt(system, 0, 0))?.estimate;
  if (estimate === undefined) {
    throw new InvalidArgumentError(
      `${name}: weighting is "precision" with ${statistics.bags} bags for ${statistics.center.length} features; expected more bags than ` +
        'features to estimate the variance of a response from. Pass residualVariance.',
    );
  }
  return bagWeights(name, bags, { weighting, residualVariance: estimate, noiseVariance });
}

/** @throws {InvalidArgumentError} theory has no answer for so few bags or samples */
function theoryRho(name: string, system: LinearSystem, ridge: number, warnings: string[]): number {
  const { bags, samples, center } = system.statistics;
  // Bags of one: every ρ gives the same fit.
  if (bags === samples) return 0;
  const rho = plugInRho(system, ridge);
  if (rho === undefined) {
    throw new InvalidArgumentError(
      `${name}: rho is "theory" with ${bags} bags for ${center.length} features; expected at least two bags more than features, to estimate the noise from. Pass a number, or "cv".`,
    );
  }
  if (system.intercept && curatedRatio(system.statistics) > 1) {
    warnings.push('rho "theory" is for random bags, and these look curated: the chosen rho may be wrong.');
  }
  return rho;
}

function requireLinearOptions(
  name: string,
  { ridge = 0, residualVariance: known }: Partial<LinearFitOptions>,
): void {
  requireNumber(`${name}: ridge`, ridge, 0);
  if (known !== undefined) requireNumber(`${name}: residualVariance`, known, 0);
}

function interceptOf(
  { statistics, intercept }: LinearSystem,
  coefficients: Float64Array,
  level: number,
): number {
  if (!intercept) return 0;
  return statistics.center.reduce((sum, c, j) => sum - c * coefficients[j], level);
}
