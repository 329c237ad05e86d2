// Newton's method for the losses of generalised linear models, sparing with Hessians: they cost d times what gradients cost.

import { NumericalError } from '../../core/errors.ts';
import type { RunOptions } from '../../core/progress.ts';
import { type Evaluation, evaluateGlm, type GlmProblem } from './glm-objective.ts';
import { type SymmetricSolver, symmetricSolver } from './symmetric-solver.ts';

export interface NewtonOptions extends RunOptions {
  /** Stop when half the squared Newton decrement is below this many nats a sample. */
  tolerance: number;
  /** Most steps. */
  maxIterations: number;
}

export interface NewtonResult {
  parameters: Float64Array;
  /** At the parameters. */
  evaluation: Evaluation;
  steps: number;
  /** Hessians computed. */
  hessians: number;
  converged: boolean;
}

/** A step that leaves less than this share of the decrement keeps its Hessian: the next gradient is worth more than a new one. */
const KEEP_HESSIAN = 0.1;
/** Halvings of a step before the point counts as the best that rounding allows. */
const MAX_HALVINGS = 40;
/** Relative rounding of an objective summed over many samples. */
const ROUNDING = 1e-12;

/**
 * Minimises the objective from `start`.
 *
 * Each step solves H Δ = −∇ and is halved until the objective falls by 10⁻⁴ of what its slope says. The Hessian stays as long as steps with it
 * shrink the decrement tenfold: near the minimum that is one Hessian for several gradients.
 *
 * @throws {NumericalError} the objective is not finite at the start
 */
export async function minimizeGlm(
  problem: GlmProblem,
  start: Float64Array,
  { tolerance, maxIterations, signal, onProgress }: NewtonOptions,
): Promise<NewtonResult> {
  const samples = problem.bags.reduce((sum, a) => sum + problem.weights[a], 0);
  let parameters = start;
  let evaluation = await evaluateGlm(problem, parameters, { hessian: true, signal });
  if (!Number.isFinite(evaluation.value)) {
    throw new NumericalError(
      `fitGlm: the loss is ${evaluation.value} at the start; expected a finite number. Scale the features.`,
    );
  }
  let solver = solverOf(evaluation);
  let fresh = true;
  let hessians = 1;
  let before = Infinity;
  for (let steps = 0; ; steps++) {
    let step = solver.solve(evaluation.gradient.map((g) => -g));
    let decrement = -dot(evaluation.gradient, step);
    if (!fresh && decrement > KEEP_HESSIAN * before && decrement > 2 * tolerance * samples) {
      evaluation = await evaluateGlm(problem, parameters, { hessian: true, signal });
      solver = solverOf(evaluation);
      fresh = true;
      hessians++;
      step = solver.solve(evaluation.gradient.map((g) => -g));
      decrement = -dot(evaluation.gradient, step);
    }
    // Where a new Hessian does not help either, rounding of the gradient is all that is left.
    const stalled = fresh && decrement > before / 2 && decrement <= ROUNDING * samples;
    if (decrement <= 2 * tolerance * samples || stalled || steps === maxIterations) {
      const converged = stalled || decrement <= 2 * tolerance * samples;
      return { parameters, evaluation, steps, hessians, converged };
    }
    before = decrement;
    onProgress?.({ phase: 'Newton step', done: steps + 1, total: maxIterations });
    const next = await lineSearch(problem, parameters, evaluation, step, decrement, signal);
    if (!next) return { parameters, evaluation, steps, hessians, converged: false };
    ({ parameters, evaluation } = next);
    fresh = false;
  }
}

/** The longest of the step's halvings that lowers the objective; undefined when none does. */
async function lineSearch(
  problem: GlmProblem,
  from: Float64Array,
  { value }: Evaluation,
  step: Float64Array,
  decrement: number,
  signal: AbortSignal | undefined,
): Promise<{ parameters: Float64Array; evaluation: Evaluation } | undefined> {
  for (let halving = 0, size = 1; halving <= MAX_HALVINGS; halving++, size /= 2) {
    const parameters = from.map((x, j) => x + size * step[j]);
    const evaluation = await evaluateGlm(problem, parameters, { signal });
    if (evaluation.value <= value - 1e-4 * size * decrement + ROUNDING * Math.abs(value)) {
      return { parameters, evaluation };
    }
  }
  return undefined;
}

function solverOf({ hessian }: Evaluation): SymmetricSolver {
  return symmetricSolver(hessian!);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
