// Where Newton's method starts: a constant, then a part of the bags, then the convex member of the family.

import { lossFunctions } from '../losses/loss-functions.ts';
import type { GlmProblem } from './glm-problem.ts';
import { minimizeGlm, type NewtonOptions, type NewtonResult } from './newton.ts';

/** Nats a sample: parameters right to about 11 digits, and above rounding. */
const TOLERANCE = 1e-22;
/** One bag in so many gives the first estimate: within the statistical error of the part, at a small share of the cost. */
const PART = 16;
/** Samples by parameter that a part must have to be worth fitting. */
const SAMPLES_BY_PARAMETER = 20;

/** Minimises the objective, from `start` or from the best start at hand. */
export async function fitProblem(
  problem: GlmProblem,
  options: Omit<NewtonOptions, 'tolerance'>,
  start?: Float64Array,
): Promise<NewtonResult> {
  const newton = { ...options, tolerance: TOLERANCE };
  if (start) return minimizeGlm(problem, start, newton);
  const instance = await minimizeGlm(
    { ...problem, rho: 1 },
    await instanceStart(problem, options),
    problem.rho === 1 ? newton : { ...newton, tolerance: 1e-8 },
  );
  return problem.rho === 1 ? instance : minimizeGlm(problem, instance.parameters, newton);
}

/** The instance-level fit of every sixteenth bag, when that is enough to tell something; else the constant model. */
async function instanceStart(
  problem: GlmProblem,
  options: Omit<NewtonOptions, 'tolerance'>,
): Promise<Float64Array> {
  const d = problem.data.features.cols;
  const part = problem.bags.filter((_, i) => i % PART === 0);
  const { offsets } = problem.data.bags;
  const samples = part.reduce((sum, a) => sum + offsets[a + 1] - offsets[a], 0);
  const start = constantModel(problem);
  if (samples < SAMPLES_BY_PARAMETER * (d + 1)) return start;
  const first = { ...problem, rho: 1, bags: part, ridge: problem.ridge / PART };
  const { parameters } = await minimizeGlm(first, start, { ...options, tolerance: 1e-6 });
  return parameters;
}

/** The level at which the mean prediction is the mean response, and no effect of features. */
function constantModel({ data, targets, weights, bags, loss, intercept }: GlmProblem): Float64Array {
  const parameters = new Float64Array(data.features.cols + 1);
  if (!intercept) return parameters;
  let sum = 0;
  let total = 0;
  for (const a of bags) {
    sum += weights[a] * targets[a];
    total += weights[a];
  }
  const mean = sum / total;
  // Half a success or failure more: a rate of exactly 0 or 1 has no finite level.
  if (loss === lossFunctions.logistic) {
    const p = Math.min(1 - 0.5 / (total + 1), Math.max(0.5 / (total + 1), mean));
    parameters[0] = Math.log(p / (1 - p));
  } else {
    parameters[0] = Math.log(Math.max(mean, 0.5 / (total + 1)));
  }
  return parameters;
}
