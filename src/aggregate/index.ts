export {
  type AnswerColumns,
  type AnswerTable,
  type AttributionKeyOptions,
  answerTable,
  attributionKeys,
  CONTRIBUTION_BUDGET,
  type ContributionScale,
  contributionFactor,
  conversionValue,
  type JoinAnswersOptions,
  type JoinedAnswers,
  type JsonRecord,
  joinAnswers,
  type KeyedAnswer,
  type KeyedAnswers,
  type OutputDomain,
  outputDomain,
  parseSkanPostbacks,
  parseSummaryReport,
  type SkanAnswers,
  type SkanOptions,
  type SkanValues,
  type SummaryReportOptions,
  skanSourceIdentifiers,
  skanSteps,
  summaryReportAnswers,
  type TableAnswersOptions,
  tableAnswers,
  toContribution,
} from './adapters/index.ts';
export type { AuditEntry, EntryKind, LogHead } from './audit-entry.ts';
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
export { type ChunkOptions, chunkBags, randomBags } from './bags/chunks.ts';
export { featureSortBags, kMeansBags } from './bags/feature-bags.ts';
export type { PartOptions } from './bags/part.ts';
export { globalBag, singletonBags } from './bags/simple.ts';
export { type SlicedBags, sliceBags } from './bags/slice.ts';
export type { SliceOptions } from './bags/slice-options.ts';
export { withinBagSquares } from './bags/squares.ts';
export {
  type AggregatorClient,
  type AggregatorClientOptions,
  createAggregatorClient,
} from './client/client.ts';
export { type LogReport, verifyLog } from './client/verify-log.ts';
export { AGGREGATIONS, type AggregateIn, LOSSES, type LossName } from './losses/loss-functions.ts';
export {
  bagLoss,
  instanceLoss,
  interpolatingLoss,
  type LossOptions,
  type LossValue,
  withinBagVariance,
} from './losses/losses.ts';
export { RESPONSES, type ResponseOptions, type Responses, toBagAnswers } from './losses/responses.ts';
export { WEIGHTINGS, type Weighting, type WeightingOptions } from './losses/weights.ts';
export { auditLinearFit } from './models/audit-linear-fit.ts';
export {
  type CrossValidationOptions,
  crossValidateRho,
  type RhoGridOptions,
  type RhoSelection,
} from './models/cross-validate.ts';
export { type ExternalFit, type ExternalModel, externalLearner } from './models/external.ts';
export { fitGlm, type GlmFit, type GlmFitOptions, OUT_OF_RANGE, type OutOfRange } from './models/glm-fit.ts';
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
export {
  type AnsweredStage,
  type Bagger,
  type BagOrigin,
  bucketOf,
  type Calibration,
  closeBuckets,
  type DiagnosticsOptions,
  expectedBucketSize,
  type FinishOptions,
  type Forecast,
  type ForecastCandidate,
  type ForecastError,
  type ForecastOptions,
  finishPriorBoost,
  forecastPriorBoost,
  type IngestedAnswers,
  ingestStage,
  type LabelPrivacy,
  type PlannedStage,
  PRIOR_BOOST_STATE_VERSION,
  type PriorBoostOptions,
  type PriorBoostPreset,
  type PriorBoostResult,
  type PriorBoostSettings,
  type PriorBoostState,
  planStage,
  priorBoost,
  type RhoChoice,
  readPriorBoostState,
  recoveredShare,
  type ScoreBuckets,
  type StageAnswers,
  type StageDiagnostics,
  type StageFitting,
  type StagePlan,
  type StagePool,
  type StageRecord,
  type StartOptions,
  scoreBuckets,
  startPriorBoost,
  type WithinSquares,
  withinShare,
} from './priorboost/index.ts';
export {
  discreteLaplaceTail,
  discreteLaplaceVariance,
  type NoiseScale,
  noiseScale,
  sampleDiscreteLaplace,
} from './privacy/discrete-laplace.ts';
export {
  type AnsweredEntry,
  type LedgerDecision,
  type LedgerOptions,
  PrivacyLedger,
} from './privacy/ledger.ts';
export { type LedgerState, ledgerFromJSON } from './privacy/ledger-state.ts';
export { type LocalQueryOptions, localBagQuery } from './privacy/local-query.ts';
export { NoisePool } from './privacy/noise-pool.ts';
export { type RandomBits, type SecureBits, secureBits, seededBits } from './privacy/random-bits.ts';
export { type PrivateRelease, type ReleaseOptions, releaseBagMeans } from './privacy/release.ts';
export { type SimulatedRelease, type SimulateOptions, simulateBagMeans } from './privacy/simulate.ts';
export type {
  AggregatorAnswer,
  AggregatorInfo,
  AggregatorQuery,
  AnsweredBag,
  RefusalReason,
  SampleId,
} from './protocol.ts';
export { RefusedError } from './refused-error.ts';
export { type AsymptoticRisk, asymptoticRisk, type RiskSetting } from './theory/asymptotic-risk.ts';
export {
  type ConditionalRisk,
  type ConditionalRiskOptions,
  conditionalRisk,
} from './theory/conditional-risk.ts';
export { type CuratedRisk, type CuratedSetting, curatedRisk, type Prior } from './theory/curated-risk.ts';
export { type OptimalRho, type OptimalRhoOptions, optimalRho, snrThreshold } from './theory/optimal-rho.ts';
export { type Plan, planAggregation } from './theory/plan-aggregation.ts';
export type { Band, PlanPoint } from './theory/plan-bands.ts';
export type { PlanChart, PlanSeries } from './theory/plan-chart.ts';
export type { PlanOptions } from './theory/plan-options.ts';
export type { Alternatives, RiskAtRho, RiskParts } from './theory/plan-risks.ts';
export {
  meanNoiseVariance,
  type PrivacySetting,
  type PrivateRisk,
  privateRisk,
} from './theory/private-risk.ts';
export {
  type SimulatedRisk,
  type SimulationOptions,
  type SimulationSetting,
  simulateRisk,
} from './theory/simulate-risk.ts';
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
