// StreamingLLM (Xiao et al., arXiv 2309.17453): the first tokens and the most recent.

import { type BudgetOptions, shareBudget } from '../budget.ts';
import { type EvictionRule, TokenCache } from '../token-cache.ts';
import type { CacheShape } from '../types.ts';

export interface SinkWindowOptions extends Omit<BudgetOptions, 'recent'> {
  policy: 'sink-window';
}

const dropOldest: EvictionRule = { arrays: {}, choose: () => 0, copy: () => dropOldest };

export function sinkWindowCache(shape: Required<CacheShape>, options: SinkWindowOptions): TokenCache {
  const { sinks, recent, pool } = shareBudget('createCache', options);
  return new TokenCache('sink-window', shape, options, { sinks, recent: recent + pool, pool: 0 }, dropOldest);
}
