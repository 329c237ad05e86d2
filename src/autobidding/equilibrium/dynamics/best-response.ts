// Everybody answers everybody at once (Jacobi), and goes part of the way: the dynamic of most autobidding studies.

import { objectiveOf } from '../objective.ts';
import { answer, playAll, rowOf, survey, type Table, toRow } from '../table.ts';
import { type Dynamic, type Iterate, observe, pull } from './dynamic.ts';

/** The damped dynamic: η_t = ½ / (1 + t/15)^0.7 of the way in logarithms. Derived. */
export const dampedBestResponse: Dynamic = (table) =>
  answerAll(table, (iteration) => 0.5 / (1 + iteration / 15) ** 0.7);

/** The plain dynamic, all of the way: cycles as a rule, and is what others are to be measured against. */
export const plainBestResponse: Dynamic = (table) => answerAll(table, () => 1);

function answerAll(table: Table, stepSize: (iteration: number) => number): Iterate {
  return (iteration) => {
    const landscapes = survey(table);
    const seen = observe(table, landscapes);
    const eta = stepSize(iteration);
    const next = table.profile.slice();
    for (const i of table.movers) {
      const response = answer(table, i, landscapes[i], 0);
      seen.best[i] = Math.max(seen.best[i], objectiveOf(table.bidders[i], response.value, response.spend));
      const row = rowOf(table, i);
      const target = toRow(table, landscapes[i], response, row);
      next.set(eta === 1 ? target : pull(row, target, eta), i * table.buckets);
    }
    playAll(table, next);
    return seen;
  };
}
