// Public names of provably/aggregate/mlp: networks from bag means (arXiv 2401.11081). Needs jax-js.

export type { AggregateIn, LossName } from '../losses/loss-functions.ts';
export type { MlpCrossValidation } from './choose-rho.ts';
export { type MlpLearnerOptions, mlpLearner } from './mlp-learner.ts';
export { restoreMlpModel } from './mlp-model.ts';
