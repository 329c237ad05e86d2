// How a budget of rows is shared out between sinks, window and pool.

import { requireInteger } from '../core/check.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import type { TokenBudget } from './token-cache.ts';

export interface BudgetOptions {
  /** Rows kept per key head, ≥ sinks + 1. */
  budget: number;
  /** First tokens of the stream, always kept. Default 4, as attention to them is high in trained models. */
  sinks?: number;
  /** Most recent tokens kept. Default: half of what the sinks leave. */
  recent?: number;
}

/**
 * @throws {InvalidArgumentError} the parts do not fit the budget
 */
export function shareBudget(name: string, { budget, sinks = 4, recent }: BudgetOptions): TokenBudget {
  requireInteger(`${name}: budget`, budget, 1);
  requireInteger(`${name}: sinks`, sinks, 0);
  if (budget < sinks + 1) {
    throw new InvalidArgumentError(
      `${name}: budget is ${budget} with ${sinks} sinks; expected at least ${sinks + 1}. Raise the budget or keep fewer sinks.`,
    );
  }
  const window = recent ?? Math.max(1, Math.floor((budget - sinks) / 2));
  requireInteger(`${name}: recent`, window, 1, budget - sinks);
  return { sinks, recent: window, pool: budget - sinks - window };
}
