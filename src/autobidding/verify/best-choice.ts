// The best combination of one choice a bucket under target and budget: a multiple-choice knapsack, bounded by its Lagrangian and searched.

import type { Choices } from './choices.ts';

/** Share by which spend may pass value and budget: rounding of compensated sums and quotients, far below the 1e-9 of bids just above a rival. */
export const SLACK: number = 1e-12;

/** Partial combinations looked at before the search gives up and leaves the bound to the relaxation. */
export const NODE_LIMIT = 8_000_000;

/** The first loss looked at, as a share of the gap, and by how much it grows. */
const FIRST_LIMIT = 1 / 256;
const LIMIT_GROWTH = 1.4;

/** Prices at which the rest of a combination is bounded too, as multiples of the best ones. */
const OTHER_PRICES: readonly number[] = [0.25, 0.5, 0.8, 1.25, 2, 4, 16];

export interface ChoiceProblem {
  readonly buckets: readonly Choices[];
  /** 'value': most V with P ≤ V and P ≤ budget. 'utility': most V − P with P ≤ budget. */
  readonly objective: 'value' | 'utility';
  readonly budget: number;
  /** Only combinations above it are looked for. */
  readonly incumbent: number;
  /** Partial combinations to look at. */
  readonly nodes: number;
}

export interface BestChoice {
  /** Choice of each bucket, shape (K,); undefined when nothing found is above the incumbent. */
  readonly picks: Int32Array | undefined;
  /** Objective of the picks, or the incumbent. */
  readonly best: number;
  /** No combination has more; equal to `best` where the search ended. */
  readonly bound: number;
  /** No lottery over combinations that meets target and budget on average has more. */
  readonly relaxed: number;
}

/** Prices of the two constraints. */
interface Prices {
  target: number;
  budget: number;
}

interface Pick {
  picks: Int32Array;
  /** Largest Σ of priced objectives, without the constant of the budget. */
  priced: number;
  /** Σ (V − P), with the slack. */
  surplus: number;
  spend: number;
  objective: number;
}

/**
 * Solves it exactly, or as far as `nodes` partial combinations go.
 *
 * For any prices ≥ 0 the best priced choices bound the objective; a combination above the incumbent can lose, summed over the buckets, at most
 * the difference of that bound and the incumbent against the best priced choices. Only such combinations are enumerated, by rising loss.
 *
 * O(choices · 100), with a budget · 10⁴, plus the search.
 */
export function bestChoice(problem: ChoiceProblem): BestChoice {
  const search: Search = { best: problem.incumbent, picks: undefined, left: problem.nodes };
  const consider = (pick: Pick) => {
    if (pick.objective > search.best && feasible(problem, pick)) {
      search.best = pick.objective;
      search.picks = pick.picks.slice();
    }
  };
  const prices = bestPrices(problem, consider);
  const relaxed = dual(problem, prices, consider);
  if (relaxed <= search.best) return { picks: search.picks, best: search.best, bound: search.best, relaxed };
  const bound = enumerate(problem, prices, relaxed, search);
  return { picks: search.picks, best: search.best, bound, relaxed };
}

function feasible({ objective, budget }: ChoiceProblem, { surplus, spend }: Pick): boolean {
  return (objective === 'utility' || surplus >= 0) && spend <= budget * (1 + SLACK);
}

function pricedOf({ objective }: ChoiceProblem, value: number, spend: number, prices: Prices): number {
  if (objective === 'utility') return value - spend - prices.budget * spend;
  return value + prices.target * (value * (1 + SLACK) - spend) - prices.budget * spend;
}

/** The best priced choice of every bucket; of equal ones the cheapest. */
function pickAt(problem: ChoiceProblem, prices: Prices): Pick {
  const { buckets, objective } = problem;
  const result = { picks: new Int32Array(buckets.length), priced: 0, surplus: 0, spend: 0, objective: 0 };
  buckets.forEach(({ value, spend }, k) => {
    let at = 0;
    let best = 0;
    for (let t = 1; t < value.length; t++) {
      const priced = pricedOf(problem, value[t], spend[t], prices);
      if (priced > best || (priced === best && spend[t] < spend[at])) {
        best = priced;
        at = t;
      }
    }
    result.picks[k] = at;
    result.priced += best;
    result.surplus += value[at] * (1 + SLACK) - spend[at];
    result.spend += spend[at];
    result.objective += objective === 'utility' ? value[at] - spend[at] : value[at];
  });
  return result;
}

/** Upper bound of the objective at given prices. */
function dual(problem: ChoiceProblem, prices: Prices, consider: (pick: Pick) => void): number {
  const pick = pickAt(problem, prices);
  consider(pick);
  const paid = prices.budget > 0 ? prices.budget * problem.budget * (1 + SLACK) : 0;
  // Widened by more than the K roundings of the sums, so that they cannot break the bound.
  return (
    pick.priced + paid + 1e-14 * problem.buckets.length * (pick.priced + paid + prices.target * pick.spend)
  );
}

/** Prices with a small dual: any are valid, better ones bound better. */
function bestPrices(problem: ChoiceProblem, consider: (pick: Pick) => void): Prices {
  const targetAt = (budget: number): Prices => {
    if (problem.objective === 'utility') return { target: 0, budget };
    const surplusAt = (target: number) => {
      const pick = pickAt(problem, { target, budget });
      consider(pick);
      return pick.surplus;
    };
    return { target: rootOfRising(surplusAt), budget };
  };
  if (problem.budget === Infinity) return targetAt(0);
  // The dual is convex in the budget's price, once the target's is the best for it: thirds, for its slope is not known at kinks.
  const boundAt = (budget: number) => dual(problem, targetAt(budget), consider);
  let high = 1;
  while (high < 2 ** 40 && boundAt(2 * high) < boundAt(high)) high *= 2;
  let [low, end] = [0, 2 * high];
  for (let step = 0; step < 60 && end - low > 1e-12 * high; step++) {
    const [left, right] = [low + (end - low) / 3, end - (end - low) / 3];
    if (boundAt(left) <= boundAt(right)) end = right;
    else low = left;
  }
  const zero = targetAt(0);
  const middle = targetAt((low + end) / 2);
  return dual(problem, zero, consider) <= dual(problem, middle, consider) ? zero : middle;
}

/** Where a non-decreasing function of x ≥ 0 turns ≥ 0: 0 when it is at once. */
function rootOfRising(f: (x: number) => number): number {
  if (f(0) >= 0) return 0;
  let high = 1;
  while (f(high) < 0 && high < 2 ** 60) high *= 2;
  let low = 0;
  for (let step = 0; step < 100; step++) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    if (f(middle) >= 0) high = middle;
    else low = middle;
  }
  return high;
}

interface Candidate {
  choice: number;
  loss: number;
  value: number;
  spend: number;
}

interface Search {
  best: number;
  picks: Int32Array | undefined;
  /** Combinations that may still be looked at. */
  left: number;
}

/**
 * All combinations that lose at most a limit against the priced optimum, for limits that rise until they exclude everything above the best one
 * found: good combinations lose little, so they are found early and cut the rest.
 *
 * @returns a bound on every combination: the best one found where the search ended
 */
function enumerate(problem: ChoiceProblem, prices: Prices, relaxed: number, search: Search): number {
  const all = problem.buckets.map((choices) => candidatesOf(problem, choices, prices, relaxed - search.best));
  let seen = 0;
  for (let limit = (relaxed - search.best) * FIRST_LIMIT; ; limit *= LIMIT_GROWTH) {
    if (!pass(problem, prices, all, relaxed, Math.min(limit, relaxed - search.best), search)) {
      return Math.max(search.best, relaxed - seen);
    }
    if (limit >= relaxed - search.best) return search.best;
    seen = limit;
  }
}

/** Depth first over the buckets. @returns whether all combinations that lose at most `limit` were seen */
function pass(
  problem: ChoiceProblem,
  prices: Prices,
  all: readonly (readonly Candidate[])[],
  relaxed: number,
  limit: number,
  search: Search,
): boolean {
  const { budget, objective } = problem;
  const candidates = all.map((list) => list.filter(({ loss }) => loss <= limit));
  const count = candidates.length;
  // What the buckets from k on can add at most to the surplus and must at least spend.
  const surplusLeft = new Float64Array(count + 1);
  const spendLeft = new Float64Array(count + 1);
  for (let k = count - 1; k >= 0; k--) {
    surplusLeft[k] = surplusLeft[k + 1] + Math.max(...candidates[k].map(surplusOf));
    spendLeft[k] = spendLeft[k + 1] + Math.min(...candidates[k].map(({ spend }) => spend));
  }
  const most = budget * (1 + SLACK);
  // At other prices what is left to choose has other bounds: sharper ones where the choices so far ran far ahead or behind.
  const rest = OTHER_PRICES.map((factor) => {
    const other = { target: prices.target * factor, budget: prices.budget * factor };
    const bounds = new Float64Array(count + 1);
    bounds[count] = other.budget > 0 ? other.budget * most : 0;
    for (let k = count - 1; k >= 0; k--) {
      const best = candidates[k].map(({ value, spend }) => pricedOf(problem, value, spend, other));
      bounds[k] = bounds[k + 1] + Math.max(...best);
    }
    return { other, bounds };
  });
  const hopeless = (k: number, value: number, spend: number) =>
    rest.some(({ other, bounds }) => pricedOf(problem, value, spend, other) + bounds[k] < search.best);
  const picks = new Int32Array(count);
  const visit = (k: number, loss: number, value: number, spend: number): boolean => {
    if (--search.left < 0) return false;
    if (spend + spendLeft[k] > most) return true;
    if (objective === 'value' && value * (1 + SLACK) - spend + surplusLeft[k] < 0) return true;
    if (k === count) {
      const reached = objective === 'utility' ? value - spend : value;
      if (reached > search.best) {
        search.best = reached;
        search.picks = picks.slice();
      }
      return true;
    }
    if (hopeless(k, value, spend)) return true;
    for (const candidate of candidates[k]) {
      const lost = loss + candidate.loss;
      if (lost > limit || relaxed - lost <= search.best) break;
      picks[k] = candidate.choice;
      if (!visit(k + 1, lost, value + candidate.value, spend + candidate.spend)) return false;
    }
    return true;
  };
  return visit(0, 0, 0, 0);
}

/** Choices that lose less than `gap` against the best priced one, least loss first. */
function candidatesOf(problem: ChoiceProblem, choices: Choices, prices: Prices, gap: number): Candidate[] {
  const { value, spend } = choices;
  const priced = value.map((v, t) => pricedOf(problem, v, spend[t], prices));
  const best = priced.reduce((a, b) => Math.max(a, b), 0);
  const list: Candidate[] = [];
  priced.forEach((p, t) => {
    if (best - p <= gap) list.push({ choice: t, loss: best - p, value: value[t], spend: spend[t] });
  });
  return list.sort((a, b) => a.loss - b.loss);
}

function surplusOf({ value, spend }: Candidate): number {
  return value * (1 + SLACK) - spend;
}
