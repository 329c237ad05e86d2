// Whose limits bind.

import type { Bidder, EquilibriumGap } from '../types.ts';
import { spendingLimit } from './objective.ts';

/** A limit binds from this share of it on. */
const BINDING = 0.99;

/** Whether target or budget is spent. */
export function limitBinds(bidder: Bidder, { value, spend }: { value: number; spend: number }): boolean {
  return spend >= BINDING * spendingLimit(bidder, value);
}

/** Share of value bidders with value whose limit binds; 0 where there are none. @param bidders - default: all value bidders */
export function bindingShare(
  bidders: readonly Bidder[] | undefined,
  { advertisers }: Pick<EquilibriumGap, 'advertisers'>,
): number {
  const bidderOf = (i: number): Bidder => bidders?.[i] ?? { kind: 'value' };
  let [binding, all] = [0, 0];
  for (const [i, own] of advertisers.entries()) {
    if (bidderOf(i).kind !== 'value' || !(own.value > 0)) continue;
    all++;
    if (limitBinds(bidderOf(i), own)) binding++;
  }
  return all > 0 ? binding / all : 0;
}
