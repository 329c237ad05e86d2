// Logistic and Poisson models from bag means.

import type { Assumption, Certificate, Certified } from '../../core/certificate.ts';
import {
  requireInteger,
  requireNumber,
  requireOneOf,
  requireProbability,
  requireSeed,
} from '../../core/check.ts';
import { DataError, InvalidArgumentError } from '../../core/errors.ts';
import type { RunOptions } from '../../core/progress.ts';
import { loadKernels } from '../../kernels/index.ts';
import { AGGREGATIONS, type AggregateIn, lossFunctions } from '../losses/loss-functions.ts';
import { bagWeights, type Weighting } from '../losses/weights.ts';
import type { AggregateData, AggregateModel } from '../types.ts';
import type { RhoGridOptions, RhoSelection } from './cross-validate.ts';
import { selectGlmRho } from './glm-cross-validate.ts';
import { glmInference } from './glm-inference.ts';
import { GLM_FAMILIES, type GlmFamily, glmModel } from './glm-model.ts';
import type { GlmProblem } from './glm-problem.ts';
import { fitProblem } from './glm-start.ts';
import type { NewtonResult } from './newton.ts';
import { requireBagData, type Unassigned } from './require-data.ts';
import type { SandwichInference } from './sandwich.ts';
import { columnMeans } from './statistics.ts';

/** What to do about means that no mean of the family can have, such as −0.02 for a probability. */
export const OUT_OF_RANGE = ['clip', 'keep', 'error'] as const;
export type OutOfRange = (typeof OUT_OF_RANGE)[number];

export interface GlmFitOptions extends RhoGridOptions, RunOptions {
  family: GlmFamily;
  /** ρ in [0, 1]: 1 is the ordinary GLM fit with soft labels. Or 'cv': by held-out bag means, as for linear models. */
  rho: number | 'cv';
  /** Take the greatest ρ within one standard error of the best one, with 'cv'. Default false. */
  oneStandardError?: boolean | undefined;
  /** λ ≥ 0 in Σ w ℓ + (λ/2)‖β‖², never on the intercept. Default 10⁻⁸ · samples in bags. */
  ridge?: number | undefined;
  /** Default true. */
  intercept?: boolean | undefined;
  /** Where predictions of a bag are averaged for ρ < 1. mean (default): probabilities, rates; calibrated for sums, not convex. link: logits, log rates; convex. */
  aggregateIn?: AggregateIn | undefined;
  /** Default: clip when noiseVariance is given, else error. Clipping noisy means is free of privacy cost and biased a little; `keep` is not, and relies on the ridge. */
  outOfRange?: OutOfRange | undefined;
  /** How much each bag counts. Default `size`. */
  weighting?: Weighting | undefined;
  /** Variance of a single response, which weighting `precision` needs. */
  residualVariance?: number | undefined;
  /** Confidence of intervals from the bag-level sandwich covariance, in (0, 1). Default: none are computed. */
  confidence?: number | undefined;
  /** Steps of Newton's method at most. Default 100. */
  maxIterations?: number | undefined;
  /** What to do about samples in no bag. Default `error`. */
  unassigned?: Unassigned | undefined;
  /** Seed of the folds of 'cv'. Default 0. */
  seed?: number | undefined;
}

export interface GlmFit {
  family: GlmFamily;
  /** β, shape (d,), on the link scale by units of the features. */
  coefficients: Float64Array;
  /** η at x = 0; 0 without an intercept. */
  intercept: number;
  rho: number;
  ridge: number;
  aggregateIn: AggregateIn;
  /** The objective at the fit, nats a sample. */
  loss: number;
  /** Steps of Newton's method. */
  iterations: number;
  /** Hessians among them: the others cost a share 1/d. */
  hessians: number;
  converged: boolean;
  /** Means that were clipped to the range of the family. */
  clipped: number;
  /** With `confidence`. */
  inference: SandwichInference | undefined;
  /** With ρ 'cv'. */
  crossValidation: RhoSelection | undefined;
  model: AggregateModel;
}

/**
 * Fits a logistic or Poisson model to bag means by (1 − ρ)·bag-level + ρ·instance-level loss, canonical link.
 *
 * Newton's method with step halving: gradient Xᵀ(b'(Xβ) − ȳ) and Hessian Xᵀ diag(b'') X at ρ = 1 (IRLS with soft labels); for ρ < 1 it starts
 * from that fit, and on the scale of means takes the Hessian of Fisher scoring.
 *
 * @returns the fit; the certificate bounds how far the objective is from its minimum, nats a sample
 * @throws {ShapeError} shapes do not fit @throws {DataError} a value is not finite or outside the family's range: the message names the bag
 * @throws {InvalidArgumentError} bags overlap or are empty, a sample is in none, an option leaves its range
 * @throws {NumericalError} the loss overflows at the start
 *
 * Time O(n d²) a Hessian and O(n d) a step, memory O(d²); with 'cv' that times folds × grid.
 * Reference: arXiv 2401.11081 (losses); algorithm and certificate derived.
 *
 * @example
 * const { value } = await fitGlm({ features, bags, means }, { family: 'logistic', rho: 1 });
 */
export async function fitGlm(data: AggregateData, options: GlmFitOptions): Promise<Certified<GlmFit>> {
  const name = 'fitGlm';
  const {
    family,
    intercept = true,
    aggregateIn = 'mean',
    confidence,
    seed = 0,
    maxIterations = 100,
  } = options;
  requireOneOf(`${name}: family`, family, GLM_FAMILIES);
  requireOneOf(`${name}: aggregateIn`, aggregateIn, AGGREGATIONS);
  if (options.rho !== 'cv') requireGlmRho(`${name}: rho`, options.rho);
  options.grid?.forEach((rho, i) => {
    requireGlmRho(`${name}: grid[${i}]`, rho);
  });
  if (options.ridge !== undefined) requireNumber(`${name}: ridge`, options.ridge, 0);
  if (confidence !== undefined) requireProbability(`${name}: confidence`, confidence);
  requireInteger(`${name}: maxIterations`, maxIterations, 1);
  requireSeed(`${name}: seed`, seed);
  requireBagData(name, data, options.unassigned ?? 'error');
  const { targets, clipped } = glmTargets(name, data, options);
  const count = targets.length;
  const ridge = options.ridge ?? 1e-8 * data.bags.members.length;
  const kernels = await loadKernels();
  const columns = await columnMeans(name, kernels, data);
  const problem: GlmProblem = {
    kernels,
    data,
    targets,
    weights: bagWeights(name, data.bags, { ...options, noiseVariance: data.noiseVariance }),
    bags: Uint32Array.from({ length: count }, (_, a) => a),
    loss: lossFunctions[family],
    rho: options.rho === 'cv' ? 1 : options.rho,
    aggregateIn,
    ridge,
    intercept,
    center: intercept ? columns : new Float64Array(data.features.cols),
  };
  const newton = { ...options, maxIterations };
  const crossValidation =
    options.rho === 'cv' ? await selectGlmRho(name, problem, { ...newton, seed }) : undefined;
  const rho = crossValidation
    ? crossValidation[options.oneStandardError ? 'oneStandardError' : 'rho']
    : problem.rho;
  const chosen = { ...problem, rho };
  const result = await fitProblem(chosen, newton);
  const inference =
    confidence === undefined ? undefined : await glmInference(chosen, result, confidence, options);
  const coefficients = result.parameters.slice(1);
  const level = result.parameters[0];
  const samples = problem.weights.reduce((sum, w) => sum + w, 0);
  return {
    value: {
      family,
      coefficients,
      intercept: intercept ? level - coefficients.reduce((sum, b, j) => sum + b * problem.center[j], 0) : 0,
      rho,
      ridge,
      aggregateIn,
      loss: result.evaluation.value / samples,
      iterations: result.steps,
      hessians: result.hessians,
      converged: result.converged,
      clipped,
      inference,
      crossValidation,
      model: glmModel(family, { coefficients, center: problem.center, level }),
    },
    certificate: certifyGlm(chosen, result, { samples, clipped, seed, crossValidation }),
  };
}

/** Means in the range of the family, or as they are. */
function glmTargets(
  name: string,
  { means, noiseVariance }: AggregateData,
  { family, outOfRange = noiseVariance ? 'clip' : 'error' }: GlmFitOptions,
): { targets: Float64Array; clipped: number } {
  requireOneOf(`${name}: outOfRange`, outOfRange, OUT_OF_RANGE);
  const high = family === 'logistic' ? 1 : Infinity;
  let clipped = 0;
  const targets = means.map((mean, a) => {
    if ((mean >= 0 && mean <= high) || outOfRange === 'keep') return mean;
    if (outOfRange === 'error') {
      throw new DataError(
        `${name}: the mean of bag ${a} is ${mean}; expected ${family === 'logistic' ? 'a proportion in [0, 1]' : 'a rate ≥ 0'}. ` +
          "Pass noiseVariance if noise was added to it, or outOfRange: 'clip'.",
      );
    }
    clipped++;
    return Math.min(high, Math.max(0, mean));
  });
  return { targets, clipped };
}

function requireGlmRho(name: string, rho: number): void {
  requireNumber(name, rho, 0);
  if (rho > 1) {
    throw new InvalidArgumentError(
      `${name} is ${rho}; expected a number in [0, 1], since above 1 the objective of a GLM has no minimum. Fit a linear model, or add a ridge.`,
    );
  }
}

/**
 * A convex F with (λ/2)‖β‖² in it has F − min F ≤ ‖∂F/∂β‖²/(2λ) + |∂F/∂α|·|α − α*|: the gradient measured at the end bounds what is left (derived).
 */
function certifyGlm(
  { kernels, rho, aggregateIn, ridge, intercept, loss }: GlmProblem,
  { evaluation, converged, steps }: NewtonResult,
  {
    samples,
    clipped,
    seed,
    crossValidation,
  }: { samples: number; clipped: number; seed: number; crossValidation: RhoSelection | undefined },
): Certificate {
  const convex = rho === 1 || aggregateIn === 'link';
  const slope = Math.abs(evaluation.gradient[0]);
  const squares = evaluation.gradient.subarray(1).reduce((sum, g) => sum + g * g, 0);
  const gap = (squares === 0 ? 0 : squares / (2 * ridge)) + (intercept ? slope : 0);
  const assumptions: Assumption[] = [
    {
      statement: 'the objective is convex (ρ = 1, or predictions of a bag averaged on the link scale)',
      status: convex ? 'proved' : 'assumed',
    },
  ];
  if (intercept) {
    assumptions.push({
      statement: 'the level is within 1 of that of the minimum',
      status: 'assumed',
      measured: slope / samples,
      measure: 'derivative of the objective by the level, nats a sample',
    });
  }
  const warnings = [...(crossValidation?.warnings ?? [])];
  if (!convex) {
    warnings.push(
      `With rho = ${rho} and bags averaged on the scale of means the objective is not convex: the fit is a stationary point reached from the instance-level fit, and nothing is promised about others.`,
    );
  }
  if (!converged) {
    warnings.push(
      `Newton's method stopped after ${steps} steps before it converged. Raise maxIterations or the ridge.`,
    );
  }
  if (ridge === 0)
    warnings.push('Without a ridge the gradient bounds nothing, and separable bags have no minimum.');
  if (clipped > 0) {
    warnings.push(`${clipped} means were clipped to the range of the family, which biases the fit a little.`);
  }
  if (loss.greatestCurvature < Infinity && rho < 1 && convex) {
    assumptions.push({
      statement: `bag-level loss ≤ instance-level loss ≤ bag-level loss + ${loss.greatestCurvature / 2}·R on the link scale`,
      status: 'proved',
    });
  }
  return {
    statement: 'objective at the fit minus its minimum, a sample',
    source: 'derived: strong convexity of the ridge; losses of arXiv 2401.11081',
    assumptions,
    bound: {
      value: convex ? gap / samples : Infinity,
      unit: 'nats',
      failureProbability: 0,
      scale: evaluation.value / samples,
    },
    seed,
    backend: `${kernels.backend} ${kernels.simd}`,
    warnings,
  };
}
