// SnapKV (Li et al., arXiv 2404.14469): after a prefill, the tokens that its last queries attend to, neighbours included; then a window.

import { requireInteger } from '../../core/check.ts';
import { type BudgetOptions, shareBudget } from '../budget.ts';
import { type EvictionRule, TokenCache } from '../token-cache.ts';
import type { CacheShape } from '../types.ts';

export interface SnapKvOptions extends BudgetOptions {
  policy: 'snapkv';
  /** Last queries of the prefill that vote, ≥ 1. Default 32. */
  observe?: number;
  /** Scores are replaced by the largest within so many neighbours, an odd number: whole phrases are kept. Default 5. */
  neighbours?: number;
}

/** A first append beyond the budget is the prefill, and needs the queries of its last `observe` tokens; what comes later only moves the window. */
export function snapKvCache(shape: Required<CacheShape>, options: SnapKvOptions): TokenCache {
  const { observe = 32, neighbours = 5 } = options;
  requireInteger('createCache: observe', observe, 1);
  requireInteger('createCache: neighbours', neighbours, 1);
  const budget = shareBudget('createCache', options);
  const { sinks, recent, pool } = budget;
  const rule: EvictionRule = {
    arrays: {},
    // The pool was chosen once: what leaves the window goes.
    choose: ({ candidates }) => candidates.length - 1,
    prefill: {
      observe,
      keep(scores, count) {
        const spread = pooled(scores, neighbours);
        const last = count - recent;
        const middle = Array.from({ length: last - sinks }, (_, i) => sinks + i);
        const chosen = middle.sort((a, b) => spread[b] - spread[a] || a - b).slice(0, pool);
        const ends = Array.from({ length: count }, (_, i) => i).filter((i) => i < sinks || i >= last);
        return Uint32Array.from([...ends, ...chosen]).sort();
      },
    },
    copy: () => rule,
  };
  return new TokenCache('snapkv', shape, options, budget, rule);
}

/** The largest value within `width` entries around each. */
function pooled(values: Float64Array, width: number): Float64Array {
  const half = width >> 1;
  return values.map((_, i) =>
    values.subarray(Math.max(0, i - half), i + half + 1).reduce((a, b) => Math.max(a, b), 0),
  );
}
