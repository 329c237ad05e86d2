// What direct float64 distances decide: how far to trust them, and every row's distance to its own center.

import { directDistance } from '../kernels/index.ts';
import type { Rows } from './rows.ts';

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
      out[start + i] = directDistance(data, i * cols, centers, labels[start + i] * cols, cols);
    }
  }
}
