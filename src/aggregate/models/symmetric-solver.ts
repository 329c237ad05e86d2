// Solves M θ = b for symmetric positive semi-definite M, with the shortest θ where there are many: all linear algebra of the fits.

import {
  CholeskyDecomposition,
  EigenvalueDecomposition,
  Matrix,
  SingularValueDecomposition,
} from 'ml-matrix';

/** Directions whose eigenvalue is below this share of the largest count as absent. */
const RANK_TOLERANCE = 1e-12;

export interface SymmetricSolver {
  /** Rank of M: its size, unless columns are dependent to about 12 digits. */
  rank: number;
  /** M⁺ b, shape (d,), for b in the range of M. */
  solve(right: Float64Array): Float64Array;
  /** The operator of `solve`, shape (d, d). */
  inverse(): Matrix;
}

/**
 * Cholesky of M scaled to unit diagonal; when a pivot vanishes, eigenvectors of the scaled matrix with relative cut 1e-12, and from all
 * solutions the one of least Euclidean length. Scaling first keeps features of very different units apart from dependent ones.
 *
 * @param matrix - M, symmetric row-major, shape (d, d)
 * @param zero - M_jj up to this counts as 0, shape (d,): rounding of a feature that does not vary. Default: zeros
 *
 * Time O(d³).
 */
export function symmetricSolver(matrix: Float64Array, zero?: Float64Array): SymmetricSolver {
  const d = Math.round(Math.sqrt(matrix.length));
  if (d === 0) return { rank: 0, solve: (right) => right.slice(), inverse: () => new Matrix(0, 0) };
  const scale = Float64Array.from({ length: d }, (_, j) => {
    const diagonal = matrix[j * d + j];
    return diagonal > (zero?.[j] ?? 0) ? 1 / Math.sqrt(diagonal) : 0;
  });
  const scaled = Matrix.zeros(d, d);
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) {
      const value = matrix[i * d + j] * scale[i] * scale[j];
      scaled.set(i, j, value);
      scaled.set(j, i, value);
    }
  }
  const cholesky = new CholeskyDecomposition(scaled);
  const full =
    cholesky.isPositiveDefinite() &&
    cholesky.lowerTriangularMatrix.diagonal().every((pivot) => pivot ** 2 > RANK_TOLERANCE);
  return full ? choleskySolver(cholesky, scale) : shortestSolver(scaled, scale);
}

/** A row-major symmetric array as a Matrix. */
export function toMatrix(values: Float64Array): Matrix {
  const d = Math.round(Math.sqrt(values.length));
  const matrix = Matrix.zeros(d, d);
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < d; j++) matrix.set(i, j, values[i * d + j]);
  }
  return matrix;
}

function choleskySolver(cholesky: CholeskyDecomposition, scale: Float64Array): SymmetricSolver {
  const d = scale.length;
  const solve = (right: Float64Array): Float64Array => {
    const solution = cholesky.solve(Matrix.columnVector(right.map((x, j) => x * scale[j])));
    return scale.map((s, j) => s * solution.get(j, 0));
  };
  return { rank: d, solve, inverse: () => scaleBoth(cholesky.solve(Matrix.eye(d, d)), scale) };
}

function shortestSolver(scaled: Matrix, scale: Float64Array): SymmetricSolver {
  const d = scale.length;
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(scaled, {
    assumeSymmetric: true,
  });
  const cut = RANK_TOLERANCE * Math.max(0, ...realEigenvalues);
  const kept = realEigenvalues.map((value) => value > cut && value > 0);
  const rank = kept.filter(Boolean).length;
  const pseudo = Matrix.zeros(d, d);
  for (let e = 0; e < d; e++) {
    if (!kept[e]) continue;
    const column = eigenvectorMatrix.getColumnVector(e);
    pseudo.add(column.mmul(column.transpose()).div(realEigenvalues[e]));
  }
  const some = scaleBoth(pseudo, scale);
  // M v = 0 for v = D u with u in the null space of D M D, and for features that do not vary: take their part out of the solution.
  const directions = Matrix.zeros(d, d - rank);
  let at = 0;
  for (let e = 0; e < d; e++) {
    if (kept[e]) continue;
    const direction = Float64Array.from(scale, (s, j) => eigenvectorMatrix.get(j, e) * (s || 1));
    // Of length 1, whatever the units of the features: short ones would drown in the rounding of long ones.
    const length = Math.hypot(...direction);
    for (let j = 0; j < d; j++) directions.set(j, at, direction[j] / length);
    at++;
  }
  const inverse = rank < d ? withoutSpan(some, directions) : some;
  return {
    rank,
    solve: (right) => Float64Array.from(inverse.mmul(Matrix.columnVector(right)).to1DArray()),
    inverse: () => inverse,
  };
}

/** (I − N N⁺) A: the columns of A without their part in the span of N. */
function withoutSpan(a: Matrix, span: Matrix): Matrix {
  const basis = new SingularValueDecomposition(span, { autoTranspose: true }).leftSingularVectors;
  return Matrix.sub(a, basis.mmul(basis.transpose().mmul(a)));
}

function scaleBoth(a: Matrix, scale: Float64Array): Matrix {
  const scaled = Matrix.zeros(a.rows, a.columns);
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < a.columns; j++) scaled.set(i, j, a.get(i, j) * scale[i] * scale[j]);
  }
  return scaled;
}
