// H2O (Zhang et al., arXiv 2306.14048): the tokens that received most attention so far, and the most recent.

import { type BudgetOptions, shareBudget } from '../budget.ts';
import { addScores } from '../scores.ts';
import { type EvictionRule, rowsOf, TokenCache } from '../token-cache.ts';
import type { CacheShape } from '../types.ts';

export interface H2oOptions extends BudgetOptions {
  policy: 'h2o';
}

/** `append` needs the queries of its tokens, and costs a decode each. */
export function h2oCache(shape: Required<CacheShape>, options: H2oOptions): TokenCache {
  const budget = shareBudget('createCache', options);
  const rows = rowsOf(budget);
  const ruleOf = (scores: Float64Array): EvictionRule => ({
    arrays: { scores },
    choose({ head, candidates }) {
      let least = 0;
      for (let i = 1; i < candidates.length; i++)
        if (scores[head * rows + candidates[i]] < scores[head * rows + candidates[least]]) least = i;
      return least;
    },
    wrote(head, row) {
      scores[head * rows + row] = 0;
    },
    scored: (probabilities, heads) => addScores(scores, probabilities, shape.keyHeads, heads),
    copy: () => ruleOf(scores.slice()),
  });
  return new TokenCache('h2o', shape, options, budget, ruleOf(new Float64Array(shape.keyHeads * rows)));
}
