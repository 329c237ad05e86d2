// The interpolating loss of a generalised linear model as a function of its parameters.

import { evaluateByBag } from './glm-bag-terms.ts';
import { InstanceTerms } from './glm-instance-terms.ts';
import type { Evaluator, GlmProblem } from './glm-problem.ts';

/** Evaluates one problem at many points: O(n d), with the Hessian O(n d²), with scores O(m d²) more. */
export function glmEvaluator(problem: GlmProblem): Evaluator {
  const { rho, data } = problem;
  const d = data.features.cols;
  // At ρ = 1 bags play no part but for their means, and all samples go through the kernels at once.
  const instances = rho === 1 ? new InstanceTerms(problem) : undefined;
  return async (parameters, { hessian = false, scores = false, signal }) => {
    const sums =
      instances && !scores
        ? await instances.at(parameters, hessian, signal)
        : await evaluateByBag(problem, parameters, { hessian, scores, signal });
    const { gradient, hessian: curvature } = sums;
    for (let j = 1; j <= d; j++) {
      sums.value += (problem.ridge / 2) * parameters[j] ** 2;
      gradient[j] += problem.ridge * parameters[j];
      if (curvature) curvature[j * (d + 1) + j] += problem.ridge;
    }
    if (!problem.intercept) {
      gradient[0] = 0;
      // The level stays at 0: its row and column are those of the identity.
      for (let j = 0; j <= d && curvature; j++) {
        curvature[j] = curvature[j * (d + 1)] = j === 0 ? 1 : 0;
      }
    }
    return sums;
  };
}
