// KeyDiff (Park et al., arXiv 2504.15364): drops keys that point the way most keys do.

import { type BudgetOptions, shareBudget } from '../budget.ts';
import { type EvictionRule, rowsOf, TokenCache } from '../token-cache.ts';
import type { CacheShape } from '../types.ts';

export interface KeyDiffOptions extends BudgetOptions {
  policy: 'keydiff';
}

/** Time O(pool · d) a token. */
export function keyDiffCache(shape: Required<CacheShape>, options: KeyDiffOptions): TokenCache {
  const budget = shareBudget('createCache', options);
  const { keyHeads, dim } = shape;
  const rows = rowsOf(budget);
  const ruleOf = (sums: Float64Array, directions: Float32Array): EvictionRule => ({
    // Sum of all key directions, and the direction of each key kept.
    arrays: { sums, directions },
    observe: 0,
    choose({ head, candidates }) {
      let most = -Infinity;
      let chosen = 0;
      for (const [i, row] of candidates.entries()) {
        let similarity = 0;
        for (let p = 0; p < dim; p++)
          similarity += directions[(head * rows + row) * dim + p] * sums[head * dim + p];
        if (similarity > most) [most, chosen] = [similarity, i];
      }
      return chosen;
    },
    wrote(head, row, key) {
      const norm = Math.sqrt(key.reduce((sum, x) => sum + x * x, 0)) || 1;
      for (let p = 0; p < dim; p++) {
        directions[(head * rows + row) * dim + p] = key[p] / norm;
        sums[head * dim + p] += key[p] / norm;
      }
    },
    copy: () => ruleOf(sums.slice(), directions.slice()),
  });
  const rule = ruleOf(new Float64Array(keyHeads * dim), new Float32Array(keyHeads * rows * dim));
  return new TokenCache('keydiff', shape, options, budget, rule);
}
