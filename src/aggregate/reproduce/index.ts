// Experiments A1 … A6: what aggregate losses (arXiv 2401.11081) should show, held against figures measured here.

export {
  type PrivacyPhaseFigures,
  type PrivacyPhaseOptions,
  reproducePrivacyPhase,
} from './privacy-phase.ts';
export { type RhoCurveFigures, type RhoCurveOptions, reproduceRhoCurve } from './rho-curve.ts';
export {
  type ReferenceCheck,
  reproduceTheoryCurve,
  type TheoryCell,
  type TheoryCurveOptions,
  type TheoryFigures,
} from './theory-curve.ts';
