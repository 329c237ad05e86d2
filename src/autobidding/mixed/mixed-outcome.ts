// Expected welfare and profit of mixed strategies.

import { budgetOf } from '../market/optimal-welfare.ts';
import type { EquilibriumGap, Setting } from '../types.ts';

/** Expectations over the draws of all strategies. */
export interface MixedOutcome {
  /** Σ E[V]; with budgets Σ min(E[V], budget). */
  readonly welfare: number;
  /** Σ E[P]. */
  readonly profit: number;
  /** W*, the most welfare of any allocation without budgets. */
  readonly optimum: number;
}

/** The outcome that a gap's exact values and spends add up to. */
export function outcomeOfGap({ bidders }: Setting, gap: EquilibriumGap, optimum: number): MixedOutcome {
  let [welfare, profit] = [0, 0];
  for (const [i, { value, spend }] of gap.advertisers.entries()) {
    welfare += Math.min(value, budgetOf(bidders?.[i]));
    profit += spend;
  }
  return { welfare, profit, optimum };
}
