// What platforms run: a controller that looks at last epoch's spend against its target and turns the bids up or down.

import { auctionTotals } from '../../auction/run-auctions.ts';
import { spendingLimit } from '../objective.ts';
import { playAll, rowOf } from '../table.ts';
import { type Dynamic, LN_LEAST } from './dynamic.ts';

/** Share of the relative slack by which ln μ moves: η_t = ½ / (1 + t/15)^0.7, as in damped best responses. */
const stepSize = (iteration: number): number => 0.5 / (1 + iteration / 15) ** 0.7;

/** The most that ln μ moves in an epoch. */
const LARGEST_STEP = 0.5;

/**
 * Target pacing: ln μ ← ln μ + η (limit − P) / V in all buckets of an advertiser alike, its limit being target or budget, whichever binds.
 *
 * Needs only each advertiser's totals, no landscape, so it finds no difference between buckets that the initial profile does not have.
 * Utility bidders are paced by their budget and never bid more than their value. Derived.
 */
export const controller: Dynamic = (table) => {
  const least = Math.exp(LN_LEAST);
  return async (iteration) => {
    const { totals } = await auctionTotals(table.setting, table.bids);
    const next = table.profile.slice();
    for (const i of table.movers) {
      const bidder = table.bidders[i];
      const [value, spend] = [totals.value[i], totals.spend[i]];
      const limit = spendingLimit(bidder, value);
      const slack = limit === Infinity ? 1 : (limit - spend) / Math.max(value, Number.MIN_VALUE);
      const wins = value > 0;
      const change = wins
        ? Math.max(-LARGEST_STEP, Math.min(LARGEST_STEP, stepSize(iteration) * slack))
        : LARGEST_STEP;
      const cap = bidder.kind === 'utility' ? 1 : table.cap;
      next.set(
        rowOf(table, i).map((multiplier) => Math.min(cap, Math.max(least, multiplier) * Math.exp(change))),
        i * table.buckets,
      );
    }
    playAll(table, next);
    return totals;
  };
};
