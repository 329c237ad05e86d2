// Newton's method for the losses of generalised linear models, sparing with Hessians: they cost d times what gradients cost.

import { NumericalError } from '../../core/errors.ts';
import type { RunOptions } from '../../core/progress.ts';
import { glmEvaluator } from './glm-objective.ts';
import type { Evaluation, Evaluator, GlmProblem } from './glm-problem.ts';
import { dot, QuasiNewton } from './quasi-newton.ts';
import { symmetricSolver } from './symmetric-solver.ts';

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

/** A step that leaves more than this share of the decrement asks for a new Hessian: near the minimum corrected ones do better. */
const KEEP_HESSIAN = 0.5;
/** Halvings of a step before the point counts as the best that rounding allows. */
const MAX_HALVINGS = 40;
/** Steps that may fail to halve the decrement: Fisher scoring may take seven where the fit is poor. */
const STUCK = 8;
/** Relative rounding of an objective summed over many samples. */
const ROUNDING = 1e-12;

/**
 * Minimises the objective from `start`.
 *
 * Each step solves H Δ = −∇ and is halved until the objective falls by 10⁻⁴ of what its slope says. H is computed at the start, and corrected by the
 * gradients seen since (BFGS), which converges faster than any fixed rate; it is computed anew only where a step failed to halve the decrement.
 *
 * @throws {NumericalError} the objective is not finite at the start
 */
export async function minimizeGlm(
  problem: GlmProblem,
  start: Float64Array,
  { tolerance, maxIterations, signal, onProgress }: NewtonOptions,
): Promise<NewtonResult> {
  const samples = problem.bags.reduce((sum, a) => sum + problem.weights[a], 0);
  const evaluate = glmEvaluator(problem);
  let parameters = start;
  let evaluation = await evaluate(parameters, { hessian: true, signal });
  if (!Number.isFinite(evaluation.value)) {
    throw new NumericalError(
      `fitGlm: the loss is ${evaluation.value} at the start; expected a finite number. Scale the features.`,
    );
  }
  let model = modelOf(evaluation);
  let hessians = 1;
  let before = Infinity;
  let best = Infinity;
  let stuck = 0;
  for (let steps = 0; ; steps++) {
    let step = model.descent(evaluation.gradient);
    let decrement = -dot(evaluation.gradient, step);
    const slow = model.full || !(decrement <= KEEP_HESSIAN * before);
    if (!model.fresh && slow && decrement > 2 * tolerance * samples) {
      evaluation = await evaluate(parameters, { hessian: true, signal });
      model = modelOf(evaluation);
      hessians++;
      step = model.descent(evaluation.gradient);
      decrement = -dot(evaluation.gradient, step);
    }
    // A decrement that many steps could not halve is the rounding of the gradient, when it is that small.
    stuck = decrement < best / 2 ? 0 : stuck + 1;
    if (stuck === 0) best = decrement;
    const stalled = stuck >= STUCK && decrement <= ROUNDING * samples;
    if (decrement <= 2 * tolerance * samples || stalled || steps === maxIterations) {
      const converged = stalled || decrement <= 2 * tolerance * samples;
      return { parameters, evaluation, steps, hessians, converged };
    }
    before = decrement;
    onProgress?.({ phase: 'Newton step', done: steps + 1, total: maxIterations });
    const next = await lineSearch(evaluate, parameters, evaluation, step, decrement, signal);
    if (!next) return { parameters, evaluation, steps, hessians, converged: false };
    const { gradient } = evaluation;
    model.learn(
      next.parameters.map((x, j) => x - parameters[j]),
      next.evaluation.gradient.map((g, j) => g - gradient[j]),
    );
    ({ parameters, evaluation } = next);
  }
}

/** The longest of the step's halvings that lowers the objective; undefined when none does. */
async function lineSearch(
  evaluate: Evaluator,
  from: Float64Array,
  { value }: Evaluation,
  step: Float64Array,
  decrement: number,
  signal: AbortSignal | undefined,
): Promise<{ parameters: Float64Array; evaluation: Evaluation } | undefined> {
  for (let halving = 0, size = 1; halving <= MAX_HALVINGS; halving++, size /= 2) {
    const parameters = from.map((x, j) => x + size * step[j]);
    const evaluation = await evaluate(parameters, { signal });
    if (evaluation.value <= value - 1e-4 * size * decrement + ROUNDING * Math.abs(value)) {
      return { parameters, evaluation };
    }
  }
  return undefined;
}

function modelOf({ hessian }: Evaluation): QuasiNewton {
  return new QuasiNewton(symmetricSolver(hessian!));
}
