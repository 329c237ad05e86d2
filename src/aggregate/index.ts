export {
  type Bags,
  bagCount,
  bagMeans,
  bagMembers,
  bagOfEach,
  bagSize,
  bagsFromLists,
  requireBags,
} from './bags/bags.ts';
export { WEIGHTINGS, type Weighting, type WeightingOptions } from './losses/weights.ts';
export {
  type CrossValidationOptions,
  crossValidateRho,
  type RhoGridOptions,
  type RhoSelection,
} from './models/cross-validate.ts';
export { linearLearner } from './models/learners.ts';
export type { PlugInError } from './models/linear-certificate.ts';
export {
  fitLinear,
  fitLinearPath,
  type LinearFit,
  type LinearFitOptions,
  type LinearPath,
} from './models/linear-fit.ts';
export { type LinearModelParameters, linearModel } from './models/linear-model.ts';
export type { Unassigned } from './models/require-data.ts';
export { type ModelReader, restoreModel } from './models/restore.ts';
export type { LinearInference } from './models/sandwich.ts';
export type {
  AggregatorAnswer,
  AggregatorInfo,
  AggregatorQuery,
  AnsweredBag,
  RefusalReason,
  SampleId,
} from './protocol.ts';
export type {
  AggregateData,
  AggregateModel,
  BagAnswers,
  BagQuery,
  Family,
  FitOptions,
  Learner,
  ModelState,
} from './types.ts';
