// What an advertiser would get at every multiplier, all others' bids fixed.

export { type EntryIndex, exactLandscapes, indexEntries, landscapeOf } from './exact-landscapes.ts';
export { gridLandscapes } from './grid-landscapes.ts';
export { type MultiplierGrid, type MultiplierGridOptions, multiplierGrid } from './multiplier-grid.ts';
