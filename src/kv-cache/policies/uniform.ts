// Sinks, window, and a uniform sample of the tokens between: what any cleverer choice has to beat.

import { requireSeed } from '../../core/check.ts';
import { createRng } from '../../core/rng.ts';
import { type BudgetOptions, shareBudget } from '../budget.ts';
import { type EvictionRule, TokenCache } from '../token-cache.ts';
import type { CacheShape } from '../types.ts';

export interface UniformOptions extends BudgetOptions {
  policy: 'uniform';
  /** Each sampled token stands for older / pool ones, so that Σ e^s is estimated without bias. Default false. */
  weighted?: boolean;
  /** Default 0. */
  seed?: number;
}

/** Algorithm R (Vitter 1985) by position in a stream, so that the counter of tokens is all its state. */
export function uniformCache(shape: Required<CacheShape>, options: UniformOptions): TokenCache {
  const { weighted = false, seed = 0 } = options;
  requireSeed('createCache: seed', seed);
  const rng = createRng(seed).fork('uniform cache');
  const rule: EvictionRule = {
    arrays: {},
    choose({ head, candidates, older }) {
      const place = Math.floor(rng.at(older * shape.keyHeads + head) * older);
      return Math.min(place, candidates.length - 1);
    },
    ...(weighted && { poolLogWeight: (older: number, pool: number) => Math.log(older / pool) }),
    copy: () => rule,
  };
  return new TokenCache('uniform', shape, options, shareBudget('createCache', options), rule);
}
