// Mixed strategies: expected landscapes, equilibria in mixed strategies and their certificates.

export { expectedLandscape } from './expected-landscape.ts';
export {
  findMixedEquilibrium,
  MIXED_METHODS,
  type MixedEquilibrium,
  type MixedEquilibriumOptions,
  type MixedMethod,
} from './find-mixed-equilibrium.ts';
export { jointGap } from './joint-gap.ts';
export { mixedGap } from './mixed-gap.ts';
export type { MixedOutcome } from './mixed-outcome.ts';
export { mixedWhatIf } from './mixed-what-if.ts';
export { findPureOrMixed, type MixedWhen, type PureOrMixed } from './pure-or-mixed.ts';
