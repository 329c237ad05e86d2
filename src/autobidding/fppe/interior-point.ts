// The convex programme of pacing equilibria, solved by a primal-dual interior-point method.

import { NumericalError } from '../../core/errors.ts';
import { type RunOptions, yieldToEventLoop } from '../../core/progress.ts';
import { addNormalPairs, choleskySolve } from './normal-equations.ts';

/** One slot, one multiplier: what the programme reads. Money is scaled so that budgets sum to 1. */
export interface PacingProblem {
  readonly advertisers: number;
  readonly auctions: number;
  /** Shape (auctions + 1,). */
  readonly offsets: Uint32Array;
  readonly advertiserOf: Uint32Array;
  /** Shape (entries,), > 0. */
  readonly values: Float64Array;
  /** Shape (advertisers,), finite and > 0. */
  readonly budgets: Float64Array;
}

export interface PacingPoint {
  /** β, shape (advertisers,), in (0, 1). */
  readonly multipliers: Float64Array;
  /** p, shape (auctions,), above β v of every entry. */
  readonly prices: Float64Array;
  /** x, shape (entries,), > 0: share of the slot. */
  readonly shares: Float64Array;
  /** s, shape (advertisers,), > 0: money left. */
  readonly left: Float64Array;
  readonly iterations: number;
}

const MOST_ITERATIONS = 200;
/** Sum of the products of complementary pairs, relative to the sum of budgets: about the duality gap. */
const PRECISION = 1e-13;
/** How far towards the boundary a step may go. */
const REACH = 0.995;

/**
 * min over 0 < β ≤ 1, p ≥ β v of Σ p − Σ B ln β, with its multipliers x (of p ≥ β v) and s (of β ≤ 1).
 *
 * Newton's method on the optimality conditions with x · (p − β v) = s · (1 − β) = μ and μ falling to 0; prices are eliminated, which leaves n
 * equations. O(Σ P² + n³) an iteration, 30 to 60 of them.
 *
 * @throws {NumericalError} no progress
 */
export async function solvePacing(
  problem: PacingProblem,
  { signal, onProgress }: RunOptions,
): Promise<PacingPoint> {
  const point = start(problem);
  const { advertisers, auctions, offsets, advertiserOf, values, budgets } = problem;
  const { multipliers, prices, shares, left } = point;
  const entries = values.length;
  // Differences that go to 0 are variables of their own: taken anew from p and β each time, they would be lost to rounding.
  const room = multipliers.map((multiplier) => 1 - multiplier);
  const slack = new Float64Array(entries);
  for (let j = 0; j < auctions; j++) {
    for (let e = offsets[j]; e < offsets[j + 1]; e++)
      slack[e] = prices[j] - values[e] * multipliers[advertiserOf[e]];
  }
  const weight = new Float64Array(entries);
  const push = new Float64Array(entries);
  const stepShares = new Float64Array(entries);
  const stepSlack = new Float64Array(entries);
  const stepPrices = new Float64Array(auctions);
  const normal = new Float64Array(advertisers * advertisers);
  const right = new Float64Array(advertisers);
  for (let iteration = 1; iteration <= MOST_ITERATIONS; iteration++) {
    signal?.throwIfAborted();
    await yieldToEventLoop();
    let products = 0;
    for (let e = 0; e < entries; e++) products += shares[e] * slack[e];
    for (let i = 0; i < advertisers; i++) products += left[i] * room[i];
    onProgress?.({ phase: 'interior point', done: iteration, total: MOST_ITERATIONS });
    if (products < PRECISION) return { ...point, iterations: iteration };
    const mu = (0.15 * products) / (entries + advertisers);

    normal.fill(0);
    for (let i = 0; i < advertisers; i++) {
      normal[i * advertisers + i] = budgets[i] / multipliers[i] ** 2 + left[i] / room[i];
      right[i] = budgets[i] / multipliers[i] - mu / room[i];
    }
    for (let j = 0; j < auctions; j++) {
      let [total, missing] = [0, 1];
      for (let e = offsets[j]; e < offsets[j + 1]; e++) {
        weight[e] = shares[e] / slack[e];
        push[e] = mu / slack[e];
        total += weight[e];
        missing -= push[e];
      }
      // The price step without that of β: Σ over entries of the new shares must be 1.
      stepPrices[j] = offsets[j] < offsets[j + 1] ? -missing / total : 0;
      for (let e = offsets[j]; e < offsets[j + 1]; e++) {
        right[advertiserOf[e]] -= values[e] * (push[e] - weight[e] * stepPrices[j]);
      }
      addNormalPairs(problem, j, weight, total, normal);
    }
    const step = choleskySolve(normal, right, advertisers);
    let [shorter, longer] = [1, 1]; // of x, s and of β, p: the largest steps that keep everything positive
    for (let i = 0; i < advertisers; i++) {
      if (step[i] > 0) longer = Math.min(longer, (REACH * room[i]) / step[i]);
      if (step[i] < 0) longer = Math.min(longer, (-REACH * multipliers[i]) / step[i]);
      right[i] = mu / room[i] - left[i] + (left[i] / room[i]) * step[i]; // from here on the step of s
      if (right[i] < 0) shorter = Math.min(shorter, (-REACH * left[i]) / right[i]);
    }
    for (let j = 0; j < auctions; j++) {
      let [total, moved] = [0, 0];
      for (let e = offsets[j]; e < offsets[j + 1]; e++) {
        total += weight[e];
        moved += weight[e] * values[e] * step[advertiserOf[e]];
      }
      if (total > 0) stepPrices[j] += moved / total;
      for (let e = offsets[j]; e < offsets[j + 1]; e++) {
        stepSlack[e] = stepPrices[j] - values[e] * step[advertiserOf[e]];
        stepShares[e] = push[e] - shares[e] - weight[e] * stepSlack[e];
        if (stepSlack[e] < 0) longer = Math.min(longer, (-REACH * slack[e]) / stepSlack[e]);
        if (stepShares[e] < 0) shorter = Math.min(shorter, (-REACH * shares[e]) / stepShares[e]);
      }
    }
    // β enters its own condition non-linearly, so both go the same way: the shorter of the two.
    const length = Math.min(shorter, longer);
    for (let i = 0; i < advertisers; i++) {
      multipliers[i] += length * step[i];
      room[i] -= length * step[i];
      left[i] += length * right[i];
    }
    for (let j = 0; j < auctions; j++) prices[j] += length * stepPrices[j];
    for (let e = 0; e < entries; e++) {
      shares[e] += length * stepShares[e];
      slack[e] += length * stepSlack[e];
    }
    if (!(length > 1e-10)) break;
  }
  throw new NumericalError(
    `firstPricePacing: the interior-point method made no progress; expected values and budgets of magnitudes that float64 can hold side by side.`,
  );
}

/** Half multipliers, equal shares, prices above all bids, and as much money left as balances the books where that is positive. */
function start({
  advertisers,
  auctions,
  offsets,
  advertiserOf,
  values,
  budgets,
}: PacingProblem): PacingPoint {
  const multipliers = new Float64Array(advertisers).fill(0.5);
  const prices = new Float64Array(auctions);
  const shares = new Float64Array(values.length);
  const worth = new Float64Array(advertisers);
  for (let j = 0; j < auctions; j++) {
    const count = offsets[j + 1] - offsets[j];
    for (let e = offsets[j]; e < offsets[j + 1]; e++) {
      shares[e] = 1 / count;
      worth[advertiserOf[e]] += values[e] / count;
      prices[j] = Math.max(prices[j], 0.75 * values[e]);
    }
  }
  const left = budgets.map((budget, i) => Math.max(0.1 * budget, 2 * budget - worth[i]));
  return { multipliers, prices, shares, left, iterations: 0 };
}
