// One interface for all dynamics: a table, and a step that moves its profile.

import { outcomeAt } from '../../response/index.ts';
import type { Landscape } from '../../types.ts';
import { objectiveOf } from '../objective.ts';
import { rowOf, type Table } from '../table.ts';

/** What was seen of the profile that an iteration started from. */
export interface Observation {
  /** V and P of each advertiser, shape (advertisers,). One-at-a-time dynamics see each advertiser when it is its turn. */
  readonly value: Float64Array;
  readonly spend: Float64Array;
  /** Objective of each advertiser's best response, the others as they were, shape (advertisers,); dynamics that compute none leave it out. */
  readonly best?: Float64Array;
}

/** Moves the table's profile by one iteration, and says what it saw. */
export type Iterate = (iteration: number) => Promise<Observation> | Observation;

/** Starts a dynamic at the table's profile. */
export type Dynamic = (table: Table, seed: number) => Iterate;

/** ln of the least multiplier that damped steps lead to, where the best response is not to bid. */
export const LN_LEAST: number = -4;

/** Moves a row by share `eta` of the way to `target` in logarithms, NaN left alone; not bidding counts as a multiplier of e⁻⁴. */
export function pull(row: Float64Array, target: Float64Array, eta: number): Float64Array {
  return row.map((multiplier, k) => {
    const from = Math.max(LN_LEAST, Math.log(multiplier));
    const to = Math.max(LN_LEAST, Math.log(target[k]));
    return from === to ? multiplier : Math.exp(from + eta * (to - from));
  });
}

/** Observation of a profile by landscapes, `best` being what each has now, to be raised by who computes best responses. */
export function observe(
  table: Table,
  landscapes: readonly Landscape[],
): Observation & { best: Float64Array } {
  const n = landscapes.length;
  const [value, spend] = [new Float64Array(n), new Float64Array(n)];
  landscapes.forEach((landscape, i) => {
    const outcome = outcomeAt(landscape, asSeen(table, i), table.format);
    value[i] = outcome.value;
    spend[i] = outcome.spend;
  });
  const best = value.map((v, i) => objectiveOf(table.bidders[i], v, spend[i]));
  return { value, spend, best };
}

/** Row of advertiser i in the units of its landscape: a `manual` bidder's is in multiples of its bid. */
export function asSeen(table: Table, i: number): Float64Array {
  return table.bidders[i].kind === 'manual' ? rowOf(table, i).map(() => 1) : rowOf(table, i);
}
