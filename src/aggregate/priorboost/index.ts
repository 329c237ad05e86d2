export type { RhoChoice } from './choose-rho.ts';
export {
  type Calibration,
  type DiagnosticsOptions,
  recoveredShare,
  type StageDiagnostics,
  type WithinSquares,
  withinShare,
} from './diagnostics.ts';
export { type AnsweredStage, type FinishOptions, finishPriorBoost, type PriorBoostResult } from './finish.ts';
export type { StageFitting } from './fit-stages.ts';
export {
  type Forecast,
  type ForecastCandidate,
  type ForecastError,
  type ForecastOptions,
  forecastPriorBoost,
} from './forecast.ts';
export { type IngestedAnswers, ingestStage } from './ingest.ts';
export { type PlannedStage, planStage, type StagePlan } from './plan.ts';
export { type PriorBoostOptions, priorBoost } from './prior-boost.ts';
export type { LabelPrivacy } from './privacy-statement.ts';
export {
  bucketOf,
  closeBuckets,
  expectedBucketSize,
  type ScoreBuckets,
  scoreBuckets,
} from './score-buckets.ts';
export type { Bagger, PriorBoostPreset, PriorBoostSettings, StagePool } from './settings.ts';
export { type StartOptions, startPriorBoost } from './start.ts';
export {
  type BagOrigin,
  PRIOR_BOOST_STATE_VERSION,
  type PriorBoostState,
  readPriorBoostState,
  type StageAnswers,
  type StageRecord,
} from './state.ts';
