// Recent tokens exactly, older ones by k centers on their keys (arXiv 2402.06082, as in its experiments).

import { requireOneOf } from '../../core/check.ts';
import { type BudgetOptions, shareBudget } from '../budget.ts';
import type { CacheShape } from '../types.ts';
import { CenterCache, type CenterMode } from './center-cache.ts';

export interface KCenterCacheOptions extends BudgetOptions {
  policy: 'k-center';
  /** Default 'select', the paper's. */
  mode?: CenterMode;
}

const MODES = ['select', 'weighted', 'merge'] as const satisfies CenterMode[];

export function kCenterCache(shape: Required<CacheShape>, options: KCenterCacheOptions): CenterCache {
  const { mode = 'select' } = options;
  requireOneOf('createCache: mode', mode, MODES);
  const settings = { policy: options.policy, mode, secondOrder: false };
  return new CenterCache(shape, options, settings, shareBudget('createCache', options));
}
