// The objective of every bagging: how much of the values' spread lies within bags.

import { requireFinite, requireLength } from '../../core/check.ts';
import { CompensatedSum } from '../../core/sums.ts';
import type { Bags } from './bags.ts';

/**
 * SSW = Σ over bags of Σ (v − mean of the bag)², each bag by two passes, the sum compensated. Samples in no bag do not count.
 *
 * @param values - one for each sample of the table, shape (samples,), finite
 * @returns ≥ 0, in squared units of the values
 * @throws {ShapeError} not one value a sample @throws {InvalidArgumentError} a value is not finite
 *
 * O(n). It bounds the squared bias of an event-level fit (arXiv 2402.04987, the objective of its bagging).
 */
export function withinBagSquares(values: Float64Array, { samples, members, offsets }: Bags): number {
  requireLength('withinBagSquares: values', values, samples);
  requireFinite('withinBagSquares: values', values);
  const total = new CompensatedSum();
  for (let a = 0; a + 1 < offsets.length; a++) {
    const [start, end] = [offsets[a], offsets[a + 1]];
    // Around one of the bag's own values nothing is lost to a common offset, however great.
    const anchor = values[members[start]];
    let sum = 0;
    for (let i = start; i < end; i++) sum += values[members[i]] - anchor;
    const mean = sum / (end - start);
    let squares = 0;
    let rest = 0; // what rounding left of the mean: corrects the squares to second order
    for (let i = start; i < end; i++) {
      const difference = values[members[i]] - anchor - mean;
      squares += difference * difference;
      rest += difference;
    }
    total.add(Math.max(0, squares - (rest * rest) / (end - start)));
  }
  return total.value;
}
