// Findings F1 to F3 on autobidding (arXiv 2311.10679), held against figures measured here.

export { type BudgetsFigures, type BudgetsOptions, reproduceBudgets } from './budgets.ts';
export {
  type DynamicsFigures,
  type DynamicsOptions,
  type DynamicsRow,
  type JointPlayRow,
  reproduceDynamics,
} from './dynamics.ts';
export {
  FINDING_LEVELS,
  type FindingsReport,
  type GeneratorFindings,
  reportCertificates,
  reportFormats,
  reportNonUniformity,
  reportVcgFlat,
  type SweepFindingsOptions,
  type SweptFindings,
  sweepFindings,
} from './findings.ts';
export {
  type FormatFigures,
  type FormatOrderFigures,
  type FormatOrderOptions,
  type GeneratorOrder,
  type MarketCount,
  reproduceFormatOrder,
} from './format-order.ts';
export { type LargeMarketFigures, type LargeMarketsOptions, reproduceLargeMarkets } from './large-markets.ts';
export type { PairedGain } from './paired-gain.ts';
export { type PoliciesOptions, type PolicyRow, reproducePolicies } from './policies.ts';
export { type PredictionRow, type PredictionsOptions, reproducePredictions } from './predictions.ts';
export {
  type AnarchyFigures,
  type AnarchyRow,
  type PriceOfAnarchyOptions,
  reproducePriceOfAnarchy,
} from './price-of-anarchy.ts';
export {
  type LevelCurve,
  levelCurve,
  reproduceWhatIf,
  WHAT_IF_FROM,
  WHAT_IF_TO,
  type WhatIfTourOptions,
  type WhatIfWorld,
} from './what-if.ts';
