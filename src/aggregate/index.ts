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
  parseSkanPostbacks,
  parseSummaryReport,
  type SkanAnswers,
  type SkanOptions,
  type SkanValues,
  type SummaryReportOptions,
  skanSourceIdentifiers,
  skanSteps,
  type TableAnswersOptions,
  tableAnswers,
  toContribution,
} from './adapters/index.ts';
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
export type { PartOptions } from './bags/part.ts';
export { globalBag, singletonBags } from './bags/simple.ts';
export { withinBagSquares } from './bags/squares.ts';
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
  finishPriorBoost,
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
export type {
  AggregatorAnswer,
  AggregatorInfo,
  AggregatorQuery,
  AnsweredBag,
  RefusalReason,
  SampleId,
} from './protocol.ts';
export { type AsymptoticRisk, asymptoticRisk, type RiskSetting } from './theory/asymptotic-risk.ts';
export {
  type ConditionalRisk,
  type ConditionalRiskOptions,
  conditionalRisk,
} from './theory/conditional-risk.ts';
export { type CuratedRisk, type CuratedSetting, curatedRisk, type Prior } from './theory/curated-risk.ts';
export { type OptimalRho, type OptimalRhoOptions, optimalRho, snrThreshold } from './theory/optimal-rho.ts';
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
