// The largest singular value of a tall matrix, by its Gram matrix.

import type { Kernels } from '../kernels/index.ts';

/** Power iterations: the Rayleigh quotient is a lower bound at every step, and this many bring it within 1e-6 but for nearly equal top eigenvalues, where it matters least. */
const ITERATIONS = 200;

/**
 * ‖X‖_op from below, to a relative 1e-5 or so. @param x - shape (rows, cols)
 *
 * Time O(rows · cols²). The Gram matrix is summed in float32 blocks, the iteration in float64.
 */
export async function operatorNorm(
  x: Float32Array,
  rows: number,
  cols: number,
  kernels: Kernels,
): Promise<number> {
  if (rows === 0) return 0;
  const gram = new Float32Array(cols * cols);
  await kernels.gemm({ m: cols, n: cols, k: rows, a: x, b: x, c: gram, transposeA: true });
  let vector = new Float64Array(cols).map((_, i) => 1 + ((i * 37) % 11) / 10);
  let eigenvalue = 0;
  for (let step = 0; step < ITERATIONS; step++) {
    const next = new Float64Array(cols);
    for (let i = 0; i < cols; i++) for (let j = 0; j < cols; j++) next[i] += gram[i * cols + j] * vector[j];
    const norm = Math.hypot(...next);
    if (norm === 0) return 0;
    const before = eigenvalue;
    eigenvalue = norm / Math.hypot(...vector);
    vector = next.map((v) => v / norm);
    if (Math.abs(eigenvalue - before) <= 1e-9 * eigenvalue) break;
  }
  return Math.sqrt(eigenvalue);
}
