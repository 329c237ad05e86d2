// The experiments P1 … P5: what PriorBoost (arXiv 2402.04987) should show, held against figures measured here.

export {
  type LabelPrivacyFigures,
  type LabelPrivacyOptions,
  type LabelPrivacyReport,
  type PrivateMethod,
  reproduceLabelPrivacy,
} from './label-privacy.ts';
export {
  type LinearFigures,
  type LinearProtocolOptions,
  type LinearReport,
  reproduceLinear,
} from './linear.ts';
export {
  type LogisticFigures,
  type LogisticProtocolOptions,
  type LogisticReport,
  reproduceLogistic,
} from './logistic.ts';
export {
  reproduceStageCounts,
  type StageCountFigures,
  type StageCountOptions,
  type StageCountReport,
} from './stage-counts.ts';
export {
  reproduceTables,
  TABLE_NAMES,
  type TableFigures,
  type TableName,
  type TablesOptions,
  type TablesReport,
} from './tables.ts';
