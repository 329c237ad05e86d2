// One look at everybody: what each has, what each could have, all others as they are.

import { type Observation, observe } from './dynamics/dynamic.ts';
import { OVERSPEND_ALLOWED, objectiveOf, overspendOf } from './objective.ts';
import { answer, type Table, viewAll } from './table.ts';

/** A profile in numbers. */
export interface Look {
  readonly welfare: number;
  readonly profit: number;
  /** Value-weighted regret of the best responses found; undefined where none were computed. */
  readonly regret: number | undefined;
  /** Largest relative overspend. */
  readonly overspend: number;
}

/** The table's profile, with best responses of all. */
export function observeAll(table: Table): Required<Observation> {
  const landscapes = viewAll(table);
  const seen = observe(table, landscapes);
  for (const i of table.movers) {
    const bidder = table.bidders[i];
    const response = answer(table, i, landscapes[i], 8);
    seen.best[i] = Math.max(seen.best[i], objectiveOf(bidder, response.value, response.spend));
  }
  return seen;
}

export function lookAt({ bidders }: Table, { value, spend, best }: Observation): Look {
  let [welfare, profit, own, gain, overspend] = [0, 0, 0, 0, 0];
  bidders.forEach((bidder, i) => {
    const budget = 'budget' in bidder ? (bidder.budget ?? Infinity) : Infinity;
    const objective = objectiveOf(bidder, value[i], spend[i]);
    welfare += Math.min(value[i], budget);
    profit += spend[i];
    own += objective;
    if (best) gain += Math.max(0, best[i] - objective);
    overspend = Math.max(overspend, overspendOf(bidder, value[i], spend[i]));
  });
  const regret = best && (own > 0 ? gain / own : gain > 0 ? Infinity : 0);
  return { welfare, profit, regret, overspend };
}

/**
 * Which of two profiles to keep: the lower score. Limits first; then the value-weighted bound, and a hundredth of the largest regret, so that small
 * advertisers count too.
 */
export function scoreOf(table: Table, seen: ReturnType<typeof observeAll>): number {
  const { regret = 0, overspend } = lookAt(table, seen);
  let worst = 0;
  for (const i of table.movers) {
    const own = objectiveOf(table.bidders[i], seen.value[i], seen.spend[i]);
    if (seen.best[i] > own) worst = Math.max(worst, own > 0 ? Math.min(1, seen.best[i] / own - 1) : 1);
  }
  return (overspend > OVERSPEND_ALLOWED ? 100 + 100 * overspend : 0) + Math.min(50, regret) + worst / 100;
}
