// Findings F1 to F3 on autobidding (arXiv 2311.10679), held against figures measured here.

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
export {
  type AnarchyFigures,
  type AnarchyRow,
  type PriceOfAnarchyOptions,
  reproducePriceOfAnarchy,
} from './price-of-anarchy.ts';
export {
  reproduceWhatIf,
  WHAT_IF_FROM,
  WHAT_IF_TO,
  type WhatIfTourOptions,
  type WhatIfWorld,
} from './what-if.ts';
