// Confidence intervals of generalised linear models.

import type { RunOptions } from '../../core/progress.ts';
import { glmEvaluator } from './glm-objective.ts';
import type { GlmProblem } from './glm-problem.ts';
import type { NewtonResult } from './newton.ts';
import { type SandwichInference, sandwich } from './sandwich.ts';
import { symmetricSolver } from './symmetric-solver.ts';

/**
 * Sandwich intervals with the gradients of single bags as ψ and the Hessian as A; on the scale of means that of Fisher scoring.
 *
 * They are about the parameters that the objective itself converges to. Asymptotic in the number of bags.
 *
 * Time O(n d²).
 */
export async function glmInference(
  problem: GlmProblem,
  { parameters }: NewtonResult,
  confidence: number,
  { signal }: RunOptions,
): Promise<SandwichInference> {
  const { hessian, scores } = await glmEvaluator(problem)(parameters, {
    hessian: true,
    scores: true,
    signal,
  });
  const solver = symmetricSolver(hessian!);
  return sandwich({
    bread: solver.inverse(),
    meat: scores!,
    point: problem.center,
    level: parameters[0],
    coefficients: parameters.slice(1),
    intercept: problem.intercept,
    bags: problem.bags.length,
    parameters: solver.rank - (problem.intercept ? 0 : 1),
    confidence,
  });
}
