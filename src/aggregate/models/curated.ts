// Do bags look random? The means of random bags spread as single samples do, but for a factor k.

import { CholeskyDecomposition, EigenvalueDecomposition, Matrix, solve } from 'ml-matrix';
import { type LinearStatistics, scatterAbout } from './statistics.ts';
import { toMatrix } from './symmetric-solver.ts';

/** How far above the edge of random spectra bags must lie: small samples and heavy tails reach past it. */
const MARGIN = 1.5;

/**
 * Greatest variance ratio between and within bags over all directions, divided by 1.5 times the right edge of its spectrum under random bags.
 *
 * The edge is that of F matrices, ((1 + √(y₁ + y₂ − y₁y₂)) / (1 − y₂))² with y₁ = d/(m−1), y₂ = d/(n−m) (Wachter 1980): a screen, not a test.
 *
 * @returns above 1 when the bags look curated; 0 when there is too little to tell
 *
 * Time O(d³).
 */
export function curatedRatio(statistics: LinearStatistics): number {
  const { between, within, samplingWeight, bags, samples } = statistics;
  const d = between.sum.length;
  if (d === 0 || bags < 2 || samples - bags <= d) return 0;
  const y1 = d / (bags - 1);
  const y2 = d / (samples - bags);
  const edge = ((1 + Math.sqrt(y1 + y2 - y1 * y2)) / (1 - y2)) ** 2;
  const mean = between.sum.map((x) => x / between.weight);
  // Under random bags both matrices are the covariance of single samples times these, up to a share 1/m.
  const g = scatterAbout(between, mean).map((x) => x / (samplingWeight * (1 - 1 / bags)));
  const w = within.map((x) => x / (between.weight - samplingWeight));
  const scale = Float64Array.from({ length: d }, (_, j) => 1 / Math.sqrt(w[j * d + j] || 1));
  const scaled = (x: Float64Array): Matrix =>
    toMatrix(x.map((value, at) => value * scale[Math.floor(at / d)] * scale[at % d]));
  const lower = new CholeskyDecomposition(symmetric(scaled(w)));
  if (!lower.isPositiveDefinite() || lower.lowerTriangularMatrix.diagonal().some((x) => x < 1e-5)) return 0;
  // W⁻¹G has the eigenvalues of L⁻¹GL⁻ᵀ.
  const half = solve(lower.lowerTriangularMatrix, scaled(g));
  const whitened = symmetric(solve(lower.lowerTriangularMatrix, half.transpose()));
  const { realEigenvalues } = new EigenvalueDecomposition(whitened, { assumeSymmetric: true });
  return Math.max(...realEigenvalues) / (MARGIN * edge);
}

function symmetric(a: Matrix): Matrix {
  return Matrix.add(a, a.transpose()).div(2);
}
