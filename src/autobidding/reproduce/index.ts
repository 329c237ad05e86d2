// Findings F1 to F3 on autobidding (arXiv 2311.10679), held against figures measured here.

export {
  type FormatFigures,
  type FormatOrderFigures,
  type FormatOrderOptions,
  type GeneratorOrder,
  type MarketCount,
  reproduceFormatOrder,
} from './format-order.ts';
