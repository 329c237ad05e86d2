// Oracle of best responses: tries every combination of steps. Exponential in the buckets.

import type { Bidder, Landscape } from '../types.ts';

/**
 * The most that any combination of one step a bucket (or no bid) reaches, and the least spend that reaches it.
 *
 * @param bidder - `value` or `utility`, with or without budget
 * @returns objective: value, or value − spend; limits are kept up to a relative 10⁻¹²
 *
 * O(Π steps).
 */
export function bestByEnumeration(
  { bucketOffsets, value, spend }: Landscape,
  { kind, budget = Infinity }: Extract<Bidder, { kind: 'value' | 'utility' }>,
): { objective: number; spend: number } {
  const buckets = bucketOffsets.length - 1;
  const best = { objective: 0, spend: 0 };
  const visit = (k: number, sumValue: number, sumSpend: number): void => {
    if (k < buckets) {
      visit(k + 1, sumValue, sumSpend);
      for (let t = bucketOffsets[k]; t < bucketOffsets[k + 1]; t++) {
        visit(k + 1, sumValue + value[t], sumSpend + spend[t]);
      }
      return;
    }
    if (sumSpend > budget * (1 + 1e-12)) return;
    if (kind === 'value' && sumSpend > sumValue * (1 + 1e-12)) return;
    const objective = kind === 'value' ? sumValue : sumValue - sumSpend;
    if (objective > best.objective || (objective === best.objective && sumSpend < best.spend)) {
      best.objective = objective;
      best.spend = sumSpend;
    }
  };
  visit(0, 0, 0);
  return best;
}

/** The largest value that one step adds in any bucket. */
export function largestStep({ bucketOffsets, value }: Landscape): number {
  let largest = 0;
  for (let k = 0; k < bucketOffsets.length - 1; k++) {
    for (let t = bucketOffsets[k]; t < bucketOffsets[k + 1]; t++) {
      largest = Math.max(largest, value[t] - (t > bucketOffsets[k] ? value[t - 1] : 0));
    }
  }
  return largest;
}
