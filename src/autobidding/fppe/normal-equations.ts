// The linear algebra of one Newton step.

import { NumericalError } from '../../core/errors.ts';
import type { PacingProblem } from './interior-point.ts';

/**
 * Adds what auction `j` contributes to the n × n matrix once its price is eliminated: Σ over pairs of entries of D_e D_f / ΣD · (v_e, −v_f)
 * crossed with itself. By pairs, because the difference diag − rank one would cancel when one entry has nearly all the weight.
 *
 * @param weight - D, shape (entries,), > 0 @param total - ΣD of the auction @param normal - lower triangle, row-major. O(P²)
 */
export function addNormalPairs(
  { advertisers, offsets, advertiserOf, values }: PacingProblem,
  j: number,
  weight: Float64Array,
  total: number,
  normal: Float64Array,
): void {
  for (let e = offsets[j]; e < offsets[j + 1]; e++) {
    const i = advertiserOf[e];
    const share = weight[e] / total;
    for (let f = offsets[j]; f < e; f++) {
      // Entries ascend by advertiser, so k ≤ i: the lower triangle.
      const k = advertiserOf[f];
      const pair = share * weight[f];
      if (i === k) {
        normal[i * advertisers + i] += pair * (values[e] - values[f]) ** 2;
      } else {
        normal[i * advertisers + i] += pair * values[e] * values[e];
        normal[k * advertisers + k] += pair * values[f] * values[f];
        normal[i * advertisers + k] -= pair * values[e] * values[f];
      }
    }
  }
}

/**
 * Solves A x = b for symmetric positive definite A by Cholesky's method, A scaled to unit diagonal first.
 *
 * @param matrix - lower triangle, row-major, shape (n, n): overwritten @param right - shape (n,): left as it is
 * @throws {NumericalError} A is not positive definite. O(n³)
 */
export function choleskySolve(matrix: Float64Array, right: Float64Array, n: number): Float64Array {
  const scale = Float64Array.from({ length: n }, (_, i) => 1 / Math.sqrt(matrix[i * n + i]));
  for (let i = 0; i < n; i++) for (let k = 0; k <= i; k++) matrix[i * n + k] *= scale[i] * scale[k];
  for (let i = 0; i < n; i++) {
    for (let k = 0; k <= i; k++) {
      let sum = matrix[i * n + k];
      for (let l = 0; l < k; l++) sum -= matrix[i * n + l] * matrix[k * n + l];
      if (k < i) {
        matrix[i * n + k] = sum / matrix[k * n + k];
      } else {
        // Unit diagonal: below a few roundings the matrix is singular to working precision, and any step along it will do.
        if (Number.isNaN(sum)) throw new NumericalError('firstPricePacing: a Newton step is not a number.');
        matrix[i * n + i] = Math.sqrt(Math.max(sum, n * Number.EPSILON));
      }
    }
  }
  const x = Float64Array.from({ length: n }, (_, i) => right[i] * scale[i]);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i] -= matrix[i * n + k] * x[k];
    x[i] /= matrix[i * n + i];
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i] -= matrix[k * n + i] * x[k];
    x[i] /= matrix[i * n + i];
  }
  for (let i = 0; i < n; i++) x[i] *= scale[i];
  return x;
}
