// Small symmetric systems for the theory: Cholesky of a d × d matrix, d up to a few hundred.

/**
 * Cholesky factor of a symmetric matrix, in its lower triangle (the upper is left as it was).
 *
 * @param a - shape (d, d), row-major; overwritten
 * @returns false when a pivot is not above `d · ε ·` the largest diagonal entry: the matrix is singular as far as rounding can tell
 *
 * O(d³ / 3).
 */
export function factorInPlace(a: Float64Array, d: number): boolean {
  let largest = 0;
  for (let i = 0; i < d; i++) largest = Math.max(largest, a[i * d + i]);
  const least = d * Number.EPSILON * largest;
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * d + j];
      for (let l = 0; l < j; l++) sum -= a[i * d + l] * a[j * d + l];
      if (i > j) a[i * d + j] = sum / a[j * d + j];
      else if (sum > least) a[i * d + i] = Math.sqrt(sum);
      else return false;
    }
  }
  return true;
}

/** Solves L Lᵀ x = b for the factor of `factorInPlace`; `b` becomes x. O(d²). */
export function solveInPlace(factor: Float64Array, d: number, b: Float64Array): void {
  for (let i = 0; i < d; i++) {
    let sum = b[i];
    for (let j = 0; j < i; j++) sum -= factor[i * d + j] * b[j];
    b[i] = sum / factor[i * d + i];
  }
  for (let i = d - 1; i >= 0; i--) {
    let sum = b[i];
    for (let j = i + 1; j < d; j++) sum -= factor[j * d + i] * b[j];
    b[i] = sum / factor[i * d + i];
  }
}
