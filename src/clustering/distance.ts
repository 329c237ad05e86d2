// Direct distances in float64: the yardstick of labels, bounds and reported figures.

import type { Rows } from './rows.ts';

/** ‖a − b‖² of two rows that start at `aStart` and `bStart`, in float64. */
export function squaredDistance(
  a: Float32Array,
  aStart: number,
  b: Float32Array,
  bStart: number,
  dim: number,
): number {
  // Four independent sums keep four additions in flight; one sum would wait for each.
  let sum0 = 0;
  let sum1 = 0;
  let sum2 = 0;
  let sum3 = 0;
  const whole = dim & ~3;
  let p = 0;
  for (; p < whole; p += 4) {
    const x0 = a[aStart + p] - b[bStart + p];
    const x1 = a[aStart + p + 1] - b[bStart + p + 1];
    const x2 = a[aStart + p + 2] - b[bStart + p + 2];
    const x3 = a[aStart + p + 3] - b[bStart + p + 3];
    sum0 += x0 * x0;
    sum1 += x1 * x1;
    sum2 += x2 * x2;
    sum3 += x3 * x3;
  }
  for (; p < dim; p++) {
    const x = a[aStart + p] - b[bStart + p];
    sum0 += x * x;
  }
  return sum0 + sum1 + (sum2 + sum3);
}

/**
 * Relative margin μ that covers the rounding of a distance: with u = 2⁻⁵³, a squared distance summed in any order is within
 * (d + 2)·u of the true one (each difference and square 3 u together, d − 1 additions of non-negative terms), its root within (d/2 + 2)·u.
 * So a < b(1 − μ) between two computed distances or squares implies a < b in truth, and in every other order of summation. Four times the
 * need, so that the few products formed with it are covered too.
 */
export function roundingMargin(dim: number): number {
  return 4 * (dim + 4) * Number.EPSILON;
}

/** Squared distance of every row to the center of its label; one pass. Writes shape (n,). */
export async function ownSquaredDistances(
  rows: Rows,
  labels: Uint32Array,
  centers: Float32Array,
  out: Float64Array,
): Promise<void> {
  const { cols } = rows;
  for await (const { start, rows: count, data } of rows.tiles()) {
    for (let i = 0; i < count; i++) {
      out[start + i] = squaredDistance(data, i * cols, centers, labels[start + i] * cols, cols);
    }
  }
}
