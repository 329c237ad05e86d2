// Pure equilibria: dynamics, endgame, certificates.

export type { DynamicsName } from './dynamics/index.ts';
export { equilibriumGap } from './equilibrium-gap.ts';
export { type Equilibrium, type FindEquilibriumOptions, findEquilibrium } from './find-equilibrium.ts';
export type { IterationRecord } from './search.ts';
export { type WhatIf, type WhatIfOptions, type WhatIfPoint, whatIf } from './what-if.ts';
