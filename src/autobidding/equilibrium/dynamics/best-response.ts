// Everybody answers everybody at once (Jacobi), and goes part of the way: the dynamic of most autobidding studies.

import { bestResponse } from '../../response/index.ts';
import { playAll, rowOf, type Table, toRow, viewAll } from '../table.ts';
import { type Dynamic, type Iterate, observe, pull } from './dynamic.ts';

/** The damped dynamic: η_t = ½ / (1 + t/15)^0.7 of the way in logarithms. Derived. */
export const dampedBestResponse: Dynamic = (table) =>
  answerAll(table, (iteration) => 0.5 / (1 + iteration / 15) ** 0.7);

/** The plain dynamic, all of the way: cycles as a rule, and is what others are to be measured against. */
export const plainBestResponse: Dynamic = (table) => answerAll(table, () => 1);

function answerAll(table: Table, stepSize: (iteration: number) => number): Iterate {
  return (iteration) => {
    const landscapes = viewAll(table);
    const seen = observe(table, landscapes);
    const eta = stepSize(iteration);
    const next = table.profile.slice();
    for (const i of table.movers) {
      const response = bestResponse(landscapes[i], table.bidders[i], { format: table.format });
      seen.bestBound[i] = Math.max(seen.bestBound[i], response.upperBound);
      const row = rowOf(table, i);
      const target = toRow(table, landscapes[i], response, row);
      next.set(eta === 1 ? target : pull(row, target, eta), i * table.buckets);
    }
    playAll(table, next);
    return seen;
  };
}
