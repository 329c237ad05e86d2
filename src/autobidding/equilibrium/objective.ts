// What a bidder is after, as numbers: its objective, and by how much it breaks its limits.

import type { Bidder } from '../types.ts';

/** By how much spend may be above value or budget, relative, in a profile that is returned: 10⁻⁴. */
export const OVERSPEND_ALLOWED: number = 1e-4;

/** Value of a value bidder, value − spend of a utility bidder; value of those that bid by rule. */
export function objectiveOf(bidder: Bidder, value: number, spend: number): number {
  return bidder.kind === 'utility' ? value - spend : value;
}

/** The most a bidder may spend when it has this value. Infinity for those that bid by rule. */
export function spendingLimit(bidder: Bidder, value: number): number {
  if (bidder.kind === 'value') return Math.min(value, bidder.budget ?? Infinity);
  return bidder.kind === 'utility' ? (bidder.budget ?? Infinity) : Infinity;
}

/** max(0, spend ÷ limit − 1): by how much target or budget is missed. */
export function overspendOf(bidder: Bidder, value: number, spend: number): number {
  const limit = spendingLimit(bidder, value);
  if (spend <= limit) return 0;
  return limit > 0 ? spend / limit - 1 : Infinity;
}
