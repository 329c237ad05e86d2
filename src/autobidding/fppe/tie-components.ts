// From a nearly optimal point to the exact one: advertisers that share a slot have equal bids there, and money adds up.

import { CompensatedSum } from '../../core/sums.ts';
import type { PacingPoint, PacingProblem } from './interior-point.ts';

/** Shares and leftovers below it are taken for zeros of the equilibrium. */
const ZERO = 1e-5;

/**
 * Multipliers that solve the equations of the equilibrium's structure, read off a nearly optimal point.
 *
 * Entries with a share of one slot tie: their advertisers' multipliers stand in a known ratio. One unknown is left in each component of tied
 * advertisers: it is 1 over the largest ratio where somebody keeps money, else what makes the component's prices sum to its budgets. O(entries).
 *
 * @returns shape (advertisers,): exact up to rounding where the structure was read rightly, which the duality gap then shows
 */
export function multipliersOfTies(
  problem: PacingProblem,
  { shares, left, multipliers }: PacingPoint,
): Float64Array {
  const { advertisers, auctions, offsets, advertiserOf, values, budgets } = problem;
  const ties: { to: number; ratio: number }[][] = Array.from({ length: advertisers }, () => []);
  const winner = new Int32Array(auctions).fill(-1);
  for (let j = 0; j < auctions; j++) {
    for (let e = offsets[j]; e < offsets[j + 1]; e++) {
      if (shares[e] < ZERO) continue;
      const first = winner[j];
      if (first < 0) {
        winner[j] = e;
      } else {
        // β_e v_e = β_first v_first.
        const [a, b] = [advertiserOf[first], advertiserOf[e]];
        ties[a].push({ to: b, ratio: values[first] / values[e] });
        ties[b].push({ to: a, ratio: values[e] / values[first] });
      }
    }
  }
  const component = new Int32Array(advertisers).fill(-1);
  const ratio = new Float64Array(advertisers);
  const members: number[][] = [];
  for (let root = 0; root < advertisers; root++) {
    if (component[root] >= 0) continue;
    const list = [root];
    component[root] = members.length;
    ratio[root] = 1;
    for (let at = 0; at < list.length; at++) {
      for (const { to, ratio: step } of ties[list[at]]) {
        if (component[to] >= 0) continue;
        component[to] = members.length;
        ratio[to] = ratio[list[at]] * step;
        list.push(to);
      }
    }
    members.push(list);
  }
  const priced = members.map(() => new CompensatedSum());
  winner.forEach((e) => {
    if (e >= 0) priced[component[advertiserOf[e]]].add(ratio[advertiserOf[e]] * values[e]);
  });
  const exact = multipliers.slice();
  members.forEach((list, c) => {
    const keeper = list.filter((i) => left[i] > ZERO * budgets[i]);
    const money = list.reduce((sum, i) => sum + budgets[i], 0);
    const unit =
      keeper.length > 0
        ? 1 / keeper.reduce((most, i) => Math.max(most, ratio[i]), 0)
        : money / priced[c].value;
    if (unit > 0 && unit < Infinity) for (const i of list) exact[i] = Math.min(1, unit * ratio[i]);
  });
  return exact;
}
