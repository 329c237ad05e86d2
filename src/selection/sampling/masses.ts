// Sums over blocks of a long array: what all schemes need first, in one fast pass that also checks the entries.

import { requireNonNegative } from '../../core/check.ts';
import { CompensatedSum } from '../../core/sums.ts';

/** Entries per block: a plain sum of 256 terms loses at most 256 roundings, and the compensated sum over blocks none. */
export const BLOCK = 256;

export interface Masses {
  /** Σ of entries b·256 … (b+1)·256 − 1. */
  blocks: Float64Array;
  /** Σ of all entries, compensated over blocks. */
  total: number;
  /** Entries > 0. */
  positive: number;
}

/**
 * @param order - positions in the order in which to sum. Default: as stored
 * @throws {InvalidArgumentError} naming the first entry that is negative, NaN or infinite
 */
export function sumBlocks(name: string, values: Float64Array, order?: Uint32Array): Masses {
  const n = values.length;
  const blocks = new Float64Array(Math.ceil(n / BLOCK));
  const total = new CompensatedSum();
  let positive = 0;
  for (let b = 0; b < blocks.length; b++) {
    const end = Math.min(n, (b + 1) * BLOCK);
    let sum = 0;
    for (let i = b * BLOCK; i < end; i++) {
      const value = order ? values[order[i]] : values[i];
      if (!(value >= 0 && value < Infinity)) requireNonNegative(name, values);
      if (value > 0) positive++;
      sum += value;
    }
    blocks[b] = sum;
    total.add(sum);
  }
  return { blocks, total: total.value, positive };
}
