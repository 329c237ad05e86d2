// What an advertiser would get at every multiplier, all others' bids fixed.

export { type EntryIndex, exactLandscapes, indexEntries, landscapeOf } from './exact-landscapes.ts';
