// Sweeps over formats, levels and seeds.

export type { SweepCell, SweepGenerator, SweepSearch } from './cell.ts';
export type { SweepColumn, SweepComparison, SweepMeasure } from './compare.ts';
export { type Sweep, type SweepOptions, sweep } from './sweep.ts';
