// Experiments A1 … A6: what aggregate losses (arXiv 2401.11081) should show, held against figures measured here.

export {
  type LinearTableFigures,
  type LinearTableReport,
  reproduceBostonLinear,
  reproduceRandHie,
} from './linear-tables.ts';
export { type NetworkFigures, type NetworkOptions, reproduceNetwork } from './network.ts';
export {
  type PrivacyPhaseFigures,
  type PrivacyPhaseOptions,
  reproducePrivacyPhase,
} from './privacy-phase.ts';
export {
  type RealTableFigures,
  type RealTablesOptions,
  reproduceRealTables,
  type SizeFigures,
} from './real-tables.ts';
export { type RhoCurveFigures, type RhoCurveOptions, reproduceRhoCurve } from './rho-curve.ts';
export {
  type ReferenceCheck,
  reproduceTheoryCurve,
  type TheoryCell,
  type TheoryCurveOptions,
  type TheoryFigures,
} from './theory-curve.ts';
