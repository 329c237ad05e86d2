// Leverage scores: how much each row can pull a least-squares fit.

import { CholeskyDecomposition, EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { requireNumber } from '../../core/check.ts';
import { NumericalError } from '../../core/errors.ts';
import { type Matrix32, type RowSource, toSource } from '../../core/matrix.ts';
import { type RunOptions, yieldToEventLoop } from '../../core/progress.ts';

export interface LeverageOptions extends RunOptions {
  /** ρ ≥ 0: scores aᵀ(AᵀA + ρI)⁻¹a, which sum to the effective dimension. Default 0. */
  ridge?: number | undefined;
}

export interface LeverageScores {
  /** τᵢ in [0, 1], dimensionless, shape (n,). */
  scores: Float64Array;
  /** Rank of A; with a ridge, the number of columns. */
  rank: number;
  /** Σ τᵢ: the rank, or with a ridge the effective dimension. */
  total: number;
}

/** Eigenvalues below this share of the largest are taken for 0: rounding of the Gram matrix leaves about d·2⁻⁵³ of it. */
const RANK_TOLERANCE = 1e-12;

/**
 * Leverage scores τᵢ = aᵢᵀ(AᵀA)⁺aᵢ: the squared row norms of Q in A = QR.
 *
 * Out of core in three passes. The Gram matrix of the columns, scaled to norm 1, gives a basis W with AW nearly orthonormal; the Gram
 * matrix of AW corrects what squaring the condition number lost (Cholesky QR done twice), so that scores are as exact as
 * from QR for condition numbers up to about 10⁶.
 *
 * @param points - A, shape (n, d)
 * @throws {InvalidArgumentError} ridge < 0 @throws {NumericalError} an entry is not finite
 *
 * Time O(n d² + d³), memory O(n + d²).
 */
export async function leverageScores(
  points: Matrix32 | RowSource,
  { ridge = 0, signal }: LeverageOptions = {},
): Promise<LeverageScores> {
  requireNumber('leverageScores: ridge', ridge, 0);
  const source = toSource(points);
  const d = source.cols;
  const identity = Matrix.eye(d, d);
  const gram = await gramMatrix(source, identity, signal);
  if (gram.to1DArray().some((x) => !Number.isFinite(x))) {
    throw new NumericalError(
      'leverageScores: the rows hold numbers that are not finite; expected finite ones. Drop or repair these rows.',
    );
  }
  for (let j = 0; j < d; j++) gram.set(j, j, gram.get(j, j) + ridge);
  const basis = orthonormalizer(gram);
  if (basis.columns === 0) return { scores: new Float64Array(source.rows), rank: 0, total: 0 };

  const second = await gramMatrix(source, basis, signal);
  if (ridge > 0) second.add(basis.transpose().mmul(basis).mul(ridge));
  const correction = new CholeskyDecomposition(second);
  if (!correction.isPositiveDefinite()) {
    throw new NumericalError(
      'leverageScores: the columns are too nearly dependent; expected a condition number below 10⁸. Pass a ridge > 0.',
    );
  }
  // W·L⁻ᵀ: rows of A times this are the rows of Q.
  const lower = correction.lowerTriangularMatrix;
  const whitener = forwardSolve(lower, basis.transpose()).transpose();

  const scores = new Float64Array(source.rows);
  await eachImage(source, whitener, signal, (e, image) => {
    let square = 0;
    for (let j = 0; j < image.length; j++) square += image[j] ** 2;
    scores[e] = Math.min(1, square);
  });
  return { scores, rank: basis.columns, total: scores.reduce((sum, score) => sum + score, 0) };
}

/** (A·W)ᵀ(A·W), shape (r, r). */
async function gramMatrix(
  source: RowSource,
  basis: Matrix,
  signal: AbortSignal | undefined,
): Promise<Matrix> {
  const r = basis.columns;
  const sums = new Float64Array(r * r);
  await eachImage(source, basis, signal, (_, image) => {
    for (let i = 0; i < r; i++) {
      const x = image[i];
      if (x === 0) continue;
      for (let j = i; j < r; j++) sums[i * r + j] += x * image[j];
    }
  });
  const gram = Matrix.zeros(r, r);
  for (let i = 0; i < r; i++) {
    for (let j = i; j < r; j++) {
      gram.set(i, j, sums[i * r + j]);
      gram.set(j, i, sums[i * r + j]);
    }
  }
  return gram;
}

/** Calls back with every row of A·W; the array is reused. */
async function eachImage(
  source: RowSource,
  basis: Matrix,
  signal: AbortSignal | undefined,
  use: (row: number, image: Float64Array) => void,
): Promise<void> {
  const d = source.cols;
  const r = basis.columns;
  const columns = Float64Array.from(basis.to1DArray()); // row-major (d, r)
  const plain = r === d && isIdentity(basis);
  const image = new Float64Array(r);
  for await (const { start, points } of source.blocks()) {
    signal?.throwIfAborted();
    await yieldToEventLoop();
    for (let e = 0; e < points.rows; e++) {
      if (plain) image.set(points.data.subarray(e * d, (e + 1) * d));
      else {
        image.fill(0);
        for (let i = 0; i < d; i++) {
          const x = points.data[e * d + i];
          if (x === 0) continue;
          for (let j = 0; j < r; j++) image[j] += x * columns[i * r + j];
        }
      }
      use(start + e, image);
    }
  }
}

function isIdentity(matrix: Matrix): boolean {
  return matrix.to1DArray().every((x, i) => x === (i % (matrix.columns + 1) === 0 ? 1 : 0));
}

/** W, shape (d, rank), with Wᵀ·gram·W ≈ I. */
function orthonormalizer(gram: Matrix): Matrix {
  const d = gram.columns;
  // Columns at scale 1: units of measurement must not decide the rank.
  const scales = gram.diagonal().map((x) => (x > 0 ? 1 / Math.sqrt(x) : 0));
  const scaled = Matrix.zeros(d, d);
  for (let i = 0; i < d; i++)
    for (let j = 0; j < d; j++) scaled.set(i, j, gram.get(i, j) * scales[i] * scales[j]);
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(scaled, {
    assumeSymmetric: true,
  });
  const largest = Math.max(...realEigenvalues);
  const kept = realEigenvalues.map((_, j) => j).filter((j) => realEigenvalues[j] > RANK_TOLERANCE * largest);
  const basis = Matrix.zeros(d, largest > 0 ? kept.length : 0);
  for (let i = 0; i < d && largest > 0; i++) {
    kept.forEach((j, column) => {
      basis.set(i, column, (scales[i] * eigenvectorMatrix.get(i, j)) / Math.sqrt(realEigenvalues[j]));
    });
  }
  return basis;
}

/** L⁻¹·B for lower triangular L. */
function forwardSolve(lower: Matrix, right: Matrix): Matrix {
  const solution = right.clone();
  for (let i = 0; i < lower.rows; i++) {
    for (let c = 0; c < right.columns; c++) {
      let value = solution.get(i, c);
      for (let j = 0; j < i; j++) value -= lower.get(i, j) * solution.get(j, c);
      solution.set(i, c, value / lower.get(i, i));
    }
  }
  return solution;
}
