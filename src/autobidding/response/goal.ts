// What a bidder optimises, in one form: the most gain at a limited cost, one choice a bucket.

import { requireNumber } from '../../core/check.ts';
import type { Bidder } from '../types.ts';

/**
 * By how much, relative to the value, spend may be above it: rounding of sums over up to 10⁵ auctions stays below, and so a bidder that
 * pays exactly its value is never refused.
 */
export const ROUNDING_SLACK: number = 1e-12;

/**
 * Maximise Σ gain subject to Σ cost ≤ cap, where gain = value − spendWeight · spend and cost = spend − valueWeight · value.
 *
 * A target alone: gain = value, cost = spend − value ≤ 0. A budget: cost = spend; then a target is a second condition, cost ≤ gain.
 */
export interface Goal {
  readonly spendWeight: 0 | 1;
  readonly valueWeight: number;
  /** Infinity where nothing is limited. */
  readonly cap: number;
  /** Besides the cap: Σ cost ≤ Σ gain. */
  readonly target: boolean;
}

/**
 * The goal of a bidder that optimises.
 *
 * @param name - the public function that asks, for messages
 * @throws {InvalidArgumentError} the budget is negative or NaN (Infinity: no budget)
 */
export function goalOf(name: string, bidder: Extract<Bidder, { kind: 'value' | 'utility' }>): Goal {
  const { kind, budget = Infinity } = bidder;
  if (budget !== Infinity) requireNumber(`${name}: bidder.budget`, budget, 0);
  const limited = budget < Infinity;
  if (kind === 'utility') return { spendWeight: 1, valueWeight: 0, cap: withSlack(budget), target: false };
  return limited
    ? { spendWeight: 0, valueWeight: 0, cap: withSlack(budget), target: true }
    : { spendWeight: 0, valueWeight: 1 + ROUNDING_SLACK, cap: 0, target: false };
}

/** Whether Σ gain and Σ cost keep the goal's limits. */
export function isWithin({ cap, target }: Goal, gain: number, cost: number): boolean {
  return cost <= cap && (!target || cost <= withSlack(gain));
}

function withSlack(amount: number): number {
  return amount * (1 + ROUNDING_SLACK);
}
