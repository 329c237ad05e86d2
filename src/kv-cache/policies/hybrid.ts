// Sinks and recent tokens exactly, older ones merged into centers that keep their mass, with a certain interval a query. A key
// unlike all others stays a center of its own, that is, exact.

import { requireOneOf } from '../../core/check.ts';
import { type BudgetOptions, shareBudget } from '../budget.ts';
import type { CacheShape } from '../types.ts';
import { CenterCache, type Prefill } from './center-cache.ts';
import { PREFILLS } from './k-center.ts';

export interface HybridOptions extends BudgetOptions {
  policy: 'hybrid';
  /**
   * Correct a center's mass for the spread of its keys, by another dim numbers a center and a pass per query of a group. Default false: it pays where
   * the logits within a center spread by 1 or so.
   */
  secondOrder?: boolean;
  /** Default 'greedy'. */
  prefill?: Prefill;
}

/** Derived: beyond arXiv 2402.06082. */
export function hybridCache(shape: Required<CacheShape>, options: HybridOptions): CenterCache {
  const { secondOrder = false, prefill = 'greedy' } = options;
  requireOneOf('createCache: prefill', prefill, PREFILLS);
  const settings = { policy: options.policy, mode: 'merge' as const, prefill, secondOrder };
  return new CenterCache(shape, options, settings, shareBudget('createCache', options));
}
