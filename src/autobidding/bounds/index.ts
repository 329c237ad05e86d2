// Worst-case bounds on welfare at equilibrium, to be drawn beside measured ratios.

export { boostStrength, type Condition } from './conditions.ts';
export { type Provenance, WELFARE_BOUNDS, type WelfareBound } from './welfare-bounds.ts';
export { type BoundHere, checkRatio, type RatioCheck, type WorstCase, worstCaseRatio } from './worst-case.ts';
