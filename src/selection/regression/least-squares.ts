// Weighted and ridge least squares for small dense problems: the only place that touches the linear algebra library.

import { Matrix, QrDecomposition, SingularValueDecomposition } from 'ml-matrix';
import { requireFinite, requireLength, requireNonNegative, requireNumber } from '../../core/check.ts';
import { type Matrix32, type Matrix64, requireFiniteMatrix, requireMatrix } from '../../core/matrix.ts';

export interface LeastSquaresOptions {
  /** Weight of each row, ≥ 0, shape (n,): minimises Σ w (⟨a, x⟩ − b)². Default: ones. */
  weights?: ArrayLike<number> | undefined;
  /** ρ ≥ 0 in + ρ‖x‖². Default 0. */
  ridge?: number;
}

/** Relative size of a diagonal of R below which the columns count as dependent. */
const RANK_TOLERANCE = 1e-12;

/**
 * Solves min Σ w(⟨aᵢ, x⟩ − bᵢ)² + ρ‖x‖² by QR of the rows scaled by √w; rank-deficient problems by SVD, with the shortest solution.
 *
 * @param rows - A, shape (n, d)
 * @param targets - b, shape (n,)
 * @returns x, shape (d,)
 * @throws {ShapeError} lengths differ @throws {InvalidArgumentError} a value is not finite, a weight or ρ negative
 *
 * Time O(n d²), memory O(n d).
 */
export function solveLeastSquares(
  rows: Matrix32 | Matrix64,
  targets: ArrayLike<number>,
  { weights, ridge = 0 }: LeastSquaresOptions = {},
): Float64Array {
  requireMatrix('solveLeastSquares: rows', rows);
  requireFiniteMatrix('solveLeastSquares: rows', rows);
  requireLength('solveLeastSquares: targets', targets, rows.rows);
  requireFinite('solveLeastSquares: targets', targets);
  requireNumber('solveLeastSquares: ridge', ridge, 0);
  if (weights) {
    requireLength('solveLeastSquares: weights', weights, rows.rows);
    requireNonNegative('solveLeastSquares: weights', weights);
  }
  const d = rows.cols;
  // ρ‖x‖² is d more rows √ρ·e_j with target 0; as many more zero rows make the system tall enough for QR.
  const extra = ridge > 0 ? d : Math.max(0, d - rows.rows);
  const a = Matrix.zeros(rows.rows + extra, d);
  const b = Matrix.zeros(rows.rows + extra, 1);
  for (let i = 0; i < rows.rows; i++) {
    const scale = weights ? Math.sqrt(weights[i]) : 1;
    for (let j = 0; j < d; j++) a.set(i, j, scale * rows.data[i * d + j]);
    b.set(i, 0, scale * targets[i]);
  }
  for (let j = 0; j < d && ridge > 0; j++) a.set(rows.rows + j, j, Math.sqrt(ridge));

  const qr = new QrDecomposition(a);
  const solution = hasFullRank(qr)
    ? qr.solve(b)
    : new SingularValueDecomposition(a, { autoTranspose: true }).solve(b);
  return Float64Array.from({ length: d }, (_, j) => solution.get(j, 0));
}

/** Σ w(⟨aᵢ, x⟩ − bᵢ)². O(n d). */
export function squaredCost(
  { data, rows, cols }: Matrix32 | Matrix64,
  targets: ArrayLike<number>,
  x: ArrayLike<number>,
  weights?: ArrayLike<number>,
): number {
  let cost = 0;
  for (let i = 0; i < rows; i++) {
    let residual = -targets[i];
    for (let j = 0; j < cols; j++) residual += data[i * cols + j] * x[j];
    cost += (weights ? weights[i] : 1) * residual ** 2;
  }
  return cost;
}

function hasFullRank(qr: QrDecomposition): boolean {
  const diagonal = qr.upperTriangularMatrix.diagonal().map(Math.abs);
  return Math.min(...diagonal) > RANK_TOLERANCE * Math.max(...diagonal);
}
