// First-price pacing equilibria: one multiplier an advertiser under a budget, as the solution of a convex programme.

import type { Assumption, Certified } from '../../core/certificate.ts';
import { requireLength } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import type { RunOptions } from '../../core/progress.ts';
import { CompensatedSum, compensatedSum } from '../../core/sums.ts';
import type { Market } from '../types.ts';
import { type PacingProblem, solvePacing } from './interior-point.ts';
import { multipliersOfTies } from './tie-components.ts';

/** Slots may be split: where bids tie, each winner gets a share. */
export interface FirstPricePacing {
  /** β, shape (advertisers,), in (0, 1]; NaN for advertisers without entries. */
  readonly multipliers: Float64Array;
  /** The winning bid of each auction, of the slot as sold; 0 where nobody takes part. Shape (auctions,), money. */
  readonly prices: Float64Array;
  /** Share of the slot that each entry wins, shape (entries,), sum ≤ 1 in each auction. */
  readonly shares: Float64Array;
  /** Money each advertiser pays, shape (advertisers,). */
  readonly spend: Float64Array;
  /** Value each advertiser gets, shape (advertisers,). */
  readonly value: Float64Array;
  /** Σ prices, money. */
  readonly profit: number;
  /** What the programme's value at (β, p) is above that at (x, leftovers), money: 0 at the equilibrium only. */
  readonly gap: number;
  readonly iterations: number;
}

/** Multipliers are compared with 1, shares and payments with 0, up to this share. */
const TOLERANCE = 1e-7;

/**
 * The pacing equilibrium of first-price auctions of one slot under budgets: unique in its multipliers and prices.
 *
 * Bids are β v; the highest bid wins and pays itself; who does not spend its budget has β = 1. It solves
 * min over 0 < β ≤ 1 of Σ_j max_i β_i v_ij − Σ_i B_i ln β_i, whose dual is the Eisenberg-Gale programme with money of its own. An interior-point
 * method finds its structure, the equations of ties and budgets then its digits; the gap of the two programmes at what is returned bounds
 * every multiplier: |β_i − β*_i| ≤ √(2 gap / B_i), since the objective is B_i-strongly convex in β_i ≤ 1.
 *
 * @param market - one sold slot; its values times δ₁ count @param budgets - shape (advertisers,), > 0, Infinity for none, money
 * @returns the certificate bounds the error of the worst multiplier, for a budget no larger than twice what the advertiser could ever spend
 * @throws {InvalidArgumentError} there is more than one slot, or a budget is not positive @throws {ShapeError} budgets do not fit
 * @throws {NumericalError} values or budgets are too far apart for float64
 *
 * O(Σ P² + n³) for each of 20 to 60 iterations; 64 bytes an entry and 8 n².
 * Source: Conitzer et al., "Pacing equilibrium in first price auction markets" (recalled, not read); bound and method derived.
 */
export async function firstPricePacing(
  market: Market,
  budgets: Float64Array,
  options: RunOptions = {},
): Promise<Certified<FirstPricePacing>> {
  const { problem, scale } = problemOf(market, budgets);
  const point = await solvePacing(problem, options);
  const rough = Float64Array.from(point.multipliers, (multiplier) => Math.min(1, multiplier));
  const exact = multipliersOfTies(problem, point);
  const multipliers = dualValue(problem, exact) <= dualValue(problem, rough) + TOLERANCE ** 2 ? exact : rough;
  const shares = winningShares(problem, multipliers, point.shares);
  const gap = scale * Math.max(0, dualValue(problem, multipliers) - primalValue(problem, shares));
  const slotPrices = pricesOf(problem, multipliers);
  const spend = Array.from(budgets, () => new CompensatedSum());
  const value = Array.from(budgets, () => new CompensatedSum());
  const wins = new Uint8Array(budgets.length);
  for (let j = 0; j < market.auctions; j++) {
    for (let e = market.offsets[j]; e < market.offsets[j + 1]; e++) {
      const i = market.advertiserOf[e];
      wins[i] = 1;
      spend[i].add(scale * slotPrices[j] * shares[e]);
      value[i].add(scale * problem.values[e] * shares[e]);
    }
  }
  const result: FirstPricePacing = {
    multipliers: multipliers.map((multiplier, i) => (wins[i] === 1 ? multiplier : Number.NaN)),
    prices: slotPrices.map((price) => scale * price),
    shares,
    spend: Float64Array.from(spend, (sum) => sum.value),
    value: Float64Array.from(value, (sum) => sum.value),
    profit: scale * compensatedSum(slotPrices),
    gap,
    iterations: point.iterations,
  };
  return certify(market, budgets, problem, scale, result);
}

function problemOf(market: Market, budgets: Float64Array): { problem: PacingProblem; scale: number } {
  const { advertisers, auctions, offsets, advertiserOf, discounts } = market;
  requireLength('firstPricePacing: budgets', budgets, advertisers);
  budgets.forEach((budget, i) => {
    if (budget > 0) return;
    throw new InvalidArgumentError(
      `firstPricePacing: budgets[${i}] is ${budget}; expected a number > 0. Leave out advertisers without money.`,
    );
  });
  if (!(discounts[0] > 0) || (discounts[1] ?? 0) > 0) {
    throw new InvalidArgumentError(
      `firstPricePacing: market.discounts are ${[...discounts].join(', ')}; expected one slot that is sold, for the programme knows no second one.`,
    );
  }
  const worth = new Float64Array(advertisers);
  market.values.forEach((v, e) => {
    if (!(v > 0 && v < Infinity)) {
      throw new InvalidArgumentError(
        `firstPricePacing: market.values[${e}] is ${v}; expected a finite number > 0.`,
      );
    }
    worth[advertiserOf[e]] += discounts[0] * v;
  });
  // Nobody spends more than its worth: a larger budget changes nothing but makes the programme ill-scaled.
  const capped = budgets.map((budget, i) => (worth[i] > 0 ? Math.min(budget, 2 * worth[i]) : 0));
  const scale = compensatedSum(capped) || 1;
  // Without entries there is nothing to pace: any budget does, and a unit one keeps the equations regular.
  const scaled = capped.map((budget) => (budget > 0 ? budget / scale : 1 / Math.max(1, advertisers)));
  const values = market.values.map((v) => (discounts[0] * v) / scale);
  return { problem: { advertisers, auctions, offsets, advertiserOf, values, budgets: scaled }, scale };
}

/** Shares of the highest bidders alone, scaled to sum 1. */
function winningShares(
  problem: PacingProblem,
  multipliers: Float64Array,
  shares: Float64Array,
): Float64Array {
  const { auctions, offsets, advertiserOf, values } = problem;
  const prices = pricesOf(problem, multipliers);
  const won = shares.slice();
  for (let j = 0; j < auctions; j++) {
    let sum = 0;
    for (let e = offsets[j]; e < offsets[j + 1]; e++) {
      if (multipliers[advertiserOf[e]] * values[e] < prices[j] * (1 - TOLERANCE)) won[e] = 0;
      sum += won[e];
    }
    for (let e = offsets[j]; e < offsets[j + 1]; e++) won[e] /= sum;
  }
  return won;
}

function pricesOf(
  { auctions, offsets, advertiserOf, values }: PacingProblem,
  multipliers: Float64Array,
): Float64Array {
  const prices = new Float64Array(auctions);
  for (let j = 0; j < auctions; j++) {
    for (let e = offsets[j]; e < offsets[j + 1]; e++) {
      prices[j] = Math.max(prices[j], multipliers[advertiserOf[e]] * values[e]);
    }
  }
  return prices;
}

/** Σ p − Σ B ln β + Σ (B ln B − B). */
function dualValue(problem: PacingProblem, multipliers: Float64Array): number {
  const sum = new CompensatedSum();
  for (const price of pricesOf(problem, multipliers)) sum.add(price);
  problem.budgets.forEach((budget, i) => {
    sum.add(-budget * Math.log(multipliers[i] / budget)).add(-budget);
  });
  return sum.value;
}

/** Σ B ln(U + s) − s with U the value won and s = max(0, B − U), the best leftover. */
function primalValue({ advertiserOf, values, budgets }: PacingProblem, shares: Float64Array): number {
  const won = Array.from(budgets, () => new CompensatedSum());
  shares.forEach((share, e) => {
    won[advertiserOf[e]].add(share * values[e]);
  });
  const sum = new CompensatedSum();
  budgets.forEach((budget, i) => {
    const utility = won[i].value;
    const left = Math.max(0, budget - utility);
    sum.add(budget * Math.log(utility + left)).add(-left);
  });
  return sum.value;
}

function certify(
  { auctions, offsets, advertiserOf, values, discounts }: Market,
  budgets: Float64Array,
  problem: PacingProblem,
  scale: number,
  result: FirstPricePacing,
): Certified<FirstPricePacing> {
  const { multipliers, prices, shares, spend, gap } = result;
  let [overspent, unspent, behind, error] = [0, 0, 0, 0];
  multipliers.forEach((multiplier, i) => {
    if (Number.isNaN(multiplier)) return;
    overspent = Math.max(overspent, spend[i] / budgets[i] - 1);
    if (multiplier < 1) unspent = Math.max(unspent, 1 - spend[i] / budgets[i]);
    error = Math.max(error, Math.sqrt((2 * gap) / (scale * problem.budgets[i])));
  });
  for (let j = 0; j < auctions; j++) {
    for (let e = offsets[j]; e < offsets[j + 1]; e++) {
      const bid = multipliers[advertiserOf[e]] * discounts[0] * values[e];
      behind = Math.max(behind, shares[e] * (1 - bid / prices[j]));
    }
  }
  const check = (statement: string, measured: number, measure: string): Assumption => ({
    statement,
    status: measured <= TOLERANCE ? 'checked' : 'violated',
    measured,
    measure,
  });
  return {
    value: result,
    certificate: {
      statement: 'every multiplier is that of the pacing equilibrium',
      source:
        'duality gap of the convex programme of first-price pacing (Conitzer et al., recalled); bound derived',
      assumptions: [
        check('spend ≤ budget', Math.max(0, overspent), 'largest relative excess'),
        check('budgets are spent where β < 1', unspent, 'largest unspent share'),
        check(
          'only the highest bids win',
          behind,
          'largest share times relative distance of its bid from the price',
        ),
      ],
      bound: { value: error, unit: 'multiplier', failureProbability: 0, scale: 1 },
      seed: 0,
      backend: 'none',
      warnings: [],
    },
  };
}
