// Sums in float64 that lose (almost) nothing to rounding, whatever the order and however long.

import type { NumericArray } from './check.ts';

/**
 * A running sum that carries its own rounding error along (Neumaier's variant of Kahan's summation).
 *
 * Error ≤ u·|Σx| + O(n u²)·Σ|x| with u = 2⁻⁵³, against (n−1)·u·Σ|x| of the plain sum; unlike Kahan's, also when a term is greater
 * than the sum so far. An infinite or NaN term makes the sum what plain addition makes it.
 * Source: A. Neumaier, ZAMM 54 (1974), algorithm IV.
 */
export class CompensatedSum {
  private sum = 0;
  private lost = 0; // what rounding took from `sum` so far

  /** Adds a term. @returns this sum */
  add(x: number): this {
    const next = this.sum + x;
    // The part of the smaller operand that did not fit into `next` is exactly computable from the greater one.
    this.lost += Math.abs(this.sum) >= Math.abs(x) ? this.sum - next + x : x - next + this.sum;
    this.sum = next;
    return this;
  }

  /** Adds what another sum holds, with its compensation: for sums taken in parts. */
  merge(other: CompensatedSum): this {
    return this.add(other.sum).add(other.lost);
  }

  get value(): number {
    // ∞ − ∞ made the compensation NaN; the plain sum is right then.
    return Number.isFinite(this.sum) ? this.sum + this.lost : this.sum;
  }
}

/** Σ values, compensated; 0 of nothing. O(n). */
export function compensatedSum(values: NumericArray): number {
  const sum = new CompensatedSum();
  for (let i = 0; i < values.length; i++) sum.add(values[i]);
  return sum.value;
}

/** Values added one after the other at the leaves: small trees cost calls, and 128 terms lose at most 128 u. */
const PAIRWISE_LEAF = 128;

/**
 * Σ values by halves; 0 of nothing.
 *
 * Error ≤ (128 + log₂ n)·2⁻⁵³·Σ|x|, at the speed of a plain loop: use it where `compensatedSum` is too slow.
 * The tree depends on n alone, so equal input gives equal bits. O(n).
 */
export function pairwiseSum(values: NumericArray): number {
  return sumRange(values, 0, values.length);
}

function sumRange(values: NumericArray, start: number, end: number): number {
  if (end - start <= PAIRWISE_LEAF) {
    let sum = 0;
    for (let i = start; i < end; i++) sum += values[i];
    return sum;
  }
  const middle = start + Math.floor((end - start) / 2);
  return sumRange(values, start, middle) + sumRange(values, middle, end);
}
