// Fits of this folder as learners, which PriorBoost and others take.

import type { Learner } from '../types.ts';
import { fitGlm, type GlmFitOptions } from './glm-fit.ts';
import type { GlmFamily } from './glm-model.ts';
import { fitLinear, fitLinearPath, type LinearFitOptions } from './linear-fit.ts';

/**
 * Learns linear models by `fitLinear`. Samples in no bag are ignored unless the options say otherwise.
 *
 * @param options - whatever is not given by each call: ridge, weighting, grid …
 */
export function linearLearner(
  options: Omit<LinearFitOptions, 'rho' | 'seed' | 'signal' | 'onProgress' | 'confidence'> = {},
): Learner {
  return {
    name: 'linear',
    async fit(data, call) {
      const { value } = await fitLinear(data, { unassigned: 'ignore', ...options, ...call });
      return value.model;
    },
    async fitPath(data, rhos, { signal, onProgress }) {
      const run = { unassigned: 'ignore', ...options, signal, onProgress } as const;
      return (await fitLinearPath(data, rhos, run)).models;
    },
  };
}

/** Learns logistic or Poisson models by `fitGlm`; otherwise as `linearLearner`. */
export function glmLearner(
  family: GlmFamily,
  options: Omit<GlmFitOptions, 'family' | 'rho' | 'seed' | 'signal' | 'onProgress' | 'confidence'> = {},
): Learner {
  return {
    name: family,
    async fit(data, call) {
      const { value } = await fitGlm(data, { unassigned: 'ignore', ...options, ...call, family });
      return value.model;
    },
  };
}
