// The recommended cache: sinks and recent tokens exactly, older ones merged into centers that keep their mass, with a certain interval a query. A key
// unlike all others stays a center of its own, that is, exact.

import { type BudgetOptions, shareBudget } from '../budget.ts';
import type { CacheShape } from '../types.ts';
import { CenterCache } from './center-cache.ts';

export interface HybridOptions extends BudgetOptions {
  policy: 'hybrid';
  /** Correct a center's mass for the spread of its keys. Default true. */
  secondOrder?: boolean;
}

/** Derived: beyond arXiv 2402.06082. */
export function hybridCache(shape: Required<CacheShape>, options: HybridOptions): CenterCache {
  const { secondOrder = true } = options;
  const settings = { policy: options.policy, mode: 'merge' as const, secondOrder };
  return new CenterCache(shape, options, settings, shareBudget('createCache', options));
}
