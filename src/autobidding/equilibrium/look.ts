// One look at everybody: what each has, what each could have, all others as they are.

import { bestResponse } from '../response/index.ts';
import { type Observation, observe } from './dynamics/dynamic.ts';
import { OVERSPEND_ALLOWED, objectiveOf, overspendOf } from './objective.ts';
import { type Table, viewAll } from './table.ts';

/** A profile in numbers. */
export interface Look {
  readonly welfare: number;
  readonly profit: number;
  /** Value-weighted regret, by the bound where there is one; undefined where no best responses were computed. */
  readonly regret: number | undefined;
  /** Largest relative overspend. */
  readonly overspend: number;
}

/** The table's profile, with best responses of all. */
export function observeAll(table: Table): Observation & { best: Float64Array; bestBound: Float64Array } {
  const landscapes = viewAll(table);
  const seen = observe(table, landscapes);
  const best = seen.bestBound.slice();
  for (const i of table.movers) {
    const bidder = table.bidders[i];
    const response = bestResponse(landscapes[i], bidder, { format: table.format });
    best[i] = Math.max(best[i], objectiveOf(bidder, response.value, response.spend));
    seen.bestBound[i] = Math.max(best[i], response.upperBound);
  }
  return { ...seen, best };
}

export function lookAt({ bidders }: Table, { value, spend, bestBound }: Observation): Look {
  let [welfare, profit, own, gain, overspend] = [0, 0, 0, 0, 0];
  bidders.forEach((bidder, i) => {
    const budget = 'budget' in bidder ? (bidder.budget ?? Infinity) : Infinity;
    const objective = objectiveOf(bidder, value[i], spend[i]);
    welfare += Math.min(value[i], budget);
    profit += spend[i];
    own += objective;
    if (bestBound) gain += Math.max(0, bestBound[i] - objective);
    overspend = Math.max(overspend, overspendOf(bidder, value[i], spend[i]));
  });
  const regret = bestBound && (own > 0 ? gain / own : gain > 0 ? Infinity : 0);
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
