// Gradient play on smoothed gains, with a look ahead: optimistic mirror descent in the logarithms of the multipliers.

import { stepAt } from '../../response/multipliers.ts';
import type { Bidder, Landscape } from '../../types.ts';
import { spendingLimit } from '../objective.ts';
import { playAll, rowOf, survey, type Table } from '../table.ts';
import { type Dynamic, LN_LEAST, observe } from './dynamic.ts';

/** Half-width in ln μ over which marginal gains are taken: steps of single auctions are noise to it. */
const HALF_WIDTH = 0.08;

/** Step for multipliers and for prices of limits, falling as 1/√t. */
const STEP = 0.4;

/** The most that ln μ or ln λ moves in an iteration. */
const LARGEST_STEP = 0.3;

/**
 * Each advertiser climbs the gradient of its Lagrangian (1 + λ) V − λ P in ln μ_k (V − λ P while its budget is the limit), while λ rises when P is above its limit and falls when below; both
 * take the optimistic step 2 g_t − g_{t−1}, which damps the rotation between competitors that plain gradient play does not. Gradients are
 * differences over ln μ ± 0.08 divided by the bucket's value. A heuristic here: its guarantees are for monotone games.
 * Utility bidders climb V − P, with λ the price of their budget.
 *
 * Source: optimistic mirror descent, arXiv 1311.1869 (Rakhlin, Sridharan); this game's form derived.
 */
export const optimistic: Dynamic = (table) => {
  const K = table.buckets;
  const n = table.bidders.length;
  const lnPrice = new Float64Array(n);
  const before = { multipliers: new Float64Array(n * K), prices: new Float64Array(n) };
  return (iteration) => {
    const landscapes = survey(table);
    const { value, spend } = observe(table, landscapes);
    const eta = STEP / Math.sqrt(1 + iteration / 10);
    const next = table.profile.slice();
    for (const i of table.movers) {
      const price = Math.exp(lnPrice[i]);
      const limit = spendingLimit(table.bidders[i], value[i]);
      const scale = Math.max(value[i], Number.MIN_VALUE);
      const excess = limit === Infinity ? -1 : (spend[i] - limit) / scale;
      const weights = weightsOf(table.bidders[i], limit < value[i], price);
      rowOf(table, i).forEach((multiplier, k) => {
        if (Number.isNaN(multiplier)) return;
        const at = i * K + k;
        const gradient = marginalGain(table, landscapes[i], k, multiplier, weights);
        const step = clip(eta * (2 * gradient - (iteration > 0 ? before.multipliers[at] : gradient)));
        before.multipliers[at] = gradient;
        next[at] = Math.min(table.cap, Math.exp(Math.max(LN_LEAST, Math.log(multiplier) + step)));
      });
      // Prices answer ten times as fast as bids: a target missed by 1 % is a lot.
      lnPrice[i] += clip(10 * eta * (2 * excess - (iteration > 0 ? before.prices[i] : excess)));
      lnPrice[i] = Math.max(-6, Math.min(6, lnPrice[i]));
      before.prices[i] = excess;
    }
    playAll(table, next);
    return { value, spend };
  };
};

/** What value and spend count in the Lagrangian: a target is a share of the value, a budget is not. */
function weightsOf(bidder: Bidder, budgetBinds: boolean, price: number): { worth: number; cost: number } {
  if (bidder.kind === 'utility') return { worth: 1, cost: 1 + price };
  return { worth: budgetBinds ? 1 : 1 + price, cost: price };
}

/** Slope of the Lagrangian in ln μ_k, over what is at stake in the bucket. */
function marginalGain(
  table: Table,
  landscape: Landscape,
  k: number,
  multiplier: number,
  { worth, cost }: { worth: number; cost: number },
): number {
  const high = stepOutcome(table, landscape, k, Math.min(table.cap, multiplier * Math.exp(HALF_WIDTH)));
  const low = stepOutcome(table, landscape, k, multiplier * Math.exp(-HALF_WIDTH));
  const gain = worth * (high.value - low.value) - cost * (high.spend - low.spend);
  const stake = Math.max(high.value, high.spend);
  return stake > 0 ? gain / (2 * HALF_WIDTH * stake * Math.max(worth, cost)) : 0;
}

/** V_k and P_k at a multiplier. */
function stepOutcome(
  { format }: Table,
  landscape: Landscape,
  k: number,
  multiplier: number,
): { value: number; spend: number } {
  const step = stepAt(landscape, k, multiplier);
  if (step < 0) return { value: 0, spend: 0 };
  const value = landscape.value[step];
  return { value, spend: format === 'fpa' ? multiplier * value : landscape.spend[step] };
}

function clip(step: number): number {
  return Math.max(-LARGEST_STEP, Math.min(LARGEST_STEP, step));
}
