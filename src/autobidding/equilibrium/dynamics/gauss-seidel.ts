// One advertiser after the other, each knowing what those before it did, and only when it is worth its while.

import { createRng, shuffle } from '../../../core/rng.ts';
import { outcomeAt } from '../../response/index.ts';
import { OVERSPEND_ALLOWED, objectiveOf, overspendOf } from '../objective.ts';
import { answer, play, rowOf, toRow, viewOf } from '../table.ts';
import { asSeen, type Dynamic } from './dynamic.ts';

/** Gain, relative to what it has, below which an advertiser stays where it is. */
const INERTIA = 3e-4;

/**
 * Best responses in turn, in an order drawn anew for each iteration from the seed. An advertiser moves when its best response gains more than
 * 0.03 %, or when its limits are broken. Derived.
 */
export const gaussSeidel: Dynamic = (table, seed) => {
  const rng = createRng(seed).fork('gauss-seidel');
  const n = table.bidders.length;
  return (iteration) => {
    const seen = { value: new Float64Array(n), spend: new Float64Array(n), best: new Float64Array(n) };
    const order = shuffle(
      Array.from({ length: n }, (_, i) => i),
      rng.fork(iteration),
    );
    const moves = new Set(table.movers);
    for (const i of order) {
      const bidder = table.bidders[i];
      const landscape = viewOf(table, i);
      const { value, spend } = outcomeAt(landscape, asSeen(table, i), table.format);
      const own = objectiveOf(bidder, value, spend);
      seen.value[i] = value;
      seen.spend[i] = spend;
      seen.best[i] = own;
      if (!moves.has(i)) continue;
      const response = answer(table, i, landscape, 0);
      const gain = objectiveOf(bidder, response.value, response.spend) - own;
      seen.best[i] = own + Math.max(0, gain);
      if (gain > INERTIA * Math.abs(own) || overspendOf(bidder, value, spend) > OVERSPEND_ALLOWED) {
        play(table, i, toRow(table, landscape, response, rowOf(table, i)));
      }
    }
    return seen;
  };
};
