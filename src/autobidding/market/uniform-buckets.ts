// The trivial bucketing: one multiplier for everything.

import type { Buckets, Market } from '../types.ts';

/** K = 1: uniform bid-scaling. */
export function uniformBuckets(market: Market): Buckets {
  return { count: 1, ofEntry: new Uint16Array(market.values.length) };
}
