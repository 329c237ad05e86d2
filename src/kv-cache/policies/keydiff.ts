// KeyDiff (Park et al., arXiv 2504.15364): drops keys that point the way most keys do.

import { type BudgetOptions, shareBudget } from '../budget.ts';
import { type EvictionRule, rowsOf, TokenCache } from '../token-cache.ts';
import type { CacheShape } from '../types.ts';

export interface KeyDiffOptions extends BudgetOptions {
  policy: 'keydiff';
}

/** Beside the rows: a norm each, and the sum of all key directions. Time O(pool · d) a token. */
export function keyDiffCache(shape: Required<CacheShape>, options: KeyDiffOptions): TokenCache {
  const budget = shareBudget('createCache', options);
  const { keyHeads, dim } = shape;
  const rows = rowsOf(budget);
  const ruleOf = (sums: Float64Array, norms: Float64Array): EvictionRule => ({
    arrays: { sums, norms },
    choose({ head, candidates, slab }) {
      const keys = slab.numbers('keys', head * rows, rows);
      const sum = sums.subarray(head * dim, (head + 1) * dim);
      let most = -Infinity;
      let chosen = 0;
      for (let i = 0; i < candidates.length; i++) {
        const row = candidates[i];
        let product = 0;
        for (let p = 0, at = row * dim; p < dim; p++, at++) product += keys[at] * sum[p];
        const similarity = product / norms[head * rows + row];
        if (similarity > most) [most, chosen] = [similarity, i];
      }
      return chosen;
    },
    wrote(head, row, key) {
      let square = 0;
      for (let p = 0; p < dim; p++) square += key[p] * key[p];
      // A key of 0 points nowhere: its similarity is 0.
      const norm = Math.sqrt(square) || 1;
      norms[head * rows + row] = norm;
      for (let p = 0; p < dim; p++) sums[head * dim + p] += key[p] / norm;
    },
    copy: () => ruleOf(sums.slice(), norms.slice()),
  });
  const rule = ruleOf(new Float64Array(keyHeads * dim), new Float64Array(keyHeads * rows));
  return new TokenCache('keydiff', shape, options, budget, rule);
}
