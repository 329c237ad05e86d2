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
export {
  AGGREGATIONS,
  type AggregateIn,
  LOSSES,
  type LossName,
} from './losses/loss-functions.ts';
export {
  bagLoss,
  instanceLoss,
  interpolatingLoss,
  type LossOptions,
  type LossValue,
  withinBagVariance,
} from './losses/losses.ts';
export {
  RESPONSES,
  type ResponseOptions,
  type Responses,
  toBagAnswers,
} from './losses/responses.ts';
export { WEIGHTINGS, type Weighting, type WeightingOptions } from './losses/weights.ts';
export {
  type CrossValidationOptions,
  crossValidateRho,
  type RhoGridOptions,
  type RhoSelection,
} from './models/cross-validate.ts';
export { type ExternalFit, type ExternalModel, externalLearner } from './models/external.ts';
export {
  fitGlm,
  type GlmFit,
  type GlmFitOptions,
  OUT_OF_RANGE,
  type OutOfRange,
} from './models/glm-fit.ts';
export { GLM_FAMILIES, type GlmFamily, glmModel } from './models/glm-model.ts';
export { glmLearner, linearLearner } from './models/learners.ts';
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
export type { SandwichInference } from './models/sandwich.ts';
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
