// The experiments X1 … X6: what sensitivity sampling (arXiv 2402.17327) should show, held against figures measured here.

export type { Measured, ProtocolOptions, ProtocolReport, Verdict } from '../../reproduce/protocol.ts';
export { ACCURACY_ARMS, type AccuracyOptions, type BudgetFigures, reproduceAccuracy } from './accuracy.ts';
export { type Arm, type BudgetOptions, type BudgetRun, spendBudget } from './active-selection.ts';
export {
  type EstimationFigures,
  type EstimationMethod,
  type EstimationOptions,
  reproduceEstimation,
} from './estimation.ts';
export { type ClusterCountFigures, type ClusterCountOptions, reproduceClusterCounts } from './k-sweep.ts';
export {
  LONG_TAIL_ALL_ARMS,
  LONG_TAIL_ARMS,
  type LongTailFigures,
  type LongTailOptions,
  type LongTailReport,
  type MeanLossEstimate,
  reproduceLongTail,
} from './long-tail.ts';
export { type OutlierFigures, type OutlierOptions, reproduceOutliers } from './outliers.ts';
export type { Choice, Picker } from './pickers.ts';
export type { Pilot, Pool, PoolOptions } from './pool.ts';
export {
  type RegressionFigures,
  type RegressionMethod,
  type RegressionProtocolOptions,
  reproduceRegression,
} from './regression.ts';
export { type RoundsFigures, type RoundsOptions, reproduceRounds } from './rounds.ts';
