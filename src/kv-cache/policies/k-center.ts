// Recent tokens exactly, older ones by k centers on their keys (arXiv 2402.06082, as in its experiments).

import { requireOneOf } from '../../core/check.ts';
import { type BudgetOptions, shareBudget } from '../budget.ts';
import type { CacheShape } from '../types.ts';
import { CenterCache, type Prefill } from './center-cache.ts';
import type { CenterMode } from './center-rows.ts';

export interface KCenterCacheOptions extends BudgetOptions {
  policy: 'k-center';
  /** Default 'select', the paper's. */
  mode?: CenterMode;
  /** Default 'greedy', as the paper compresses once after a prefill. */
  prefill?: Prefill;
}

const MODES = ['select', 'weighted', 'merge'] as const satisfies CenterMode[];
export const PREFILLS: readonly Prefill[] = ['greedy', 'stream'];

export function kCenterCache(shape: Required<CacheShape>, options: KCenterCacheOptions): CenterCache {
  const { mode = 'select', prefill = 'greedy' } = options;
  requireOneOf('createCache: mode', mode, MODES);
  requireOneOf('createCache: prefill', prefill, PREFILLS);
  const settings = { policy: options.policy, mode, prefill, secondOrder: false };
  return new CenterCache(shape, options, settings, shareBudget('createCache', options));
}
