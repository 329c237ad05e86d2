// The slow, obvious twin of `simulateRisk`: draws every sample, every label and every released mean, then fits.

import type { Rng } from '../../core/rng.ts';
import { symmetricSolver } from '../models/symmetric-solver.ts';
import type { PrivacySetting } from './private-risk.ts';

export interface PlainRun {
  samples: number;
  features: number;
  bagSize: number;
  rho: number;
  /** ‖θ‖². */
  signal: number;
  /** σ². */
  noise: number;
  /** Correlation of the prior whose order the bags are cut from; left out: random bags. */
  correlation?: number;
  /** Features are mixed before the fit, so that each is correlated with the next: x_j + mixing · x_{j+1}. */
  mixing?: number;
  /** Means are clipped and released with Laplace noise. */
  privacy?: PrivacySetting;
}

/** Excess error of predictions, ‖θ̂ − θ‖², of one run: samples are drawn, put in bags of equal size (a last incomplete one is left out), answered and fitted. O(n d²). */
export function plainRun(run: PlainRun, rng: Rng): number {
  const { samples: n, features: d, bagSize: k, rho, signal, noise, correlation, mixing = 0, privacy } = run;
  const x = Float64Array.from({ length: n * d }, () => rng.normal());
  const theta = new Float64Array(d);
  theta[0] = Math.sqrt(signal) * (correlation ?? 1);
  if (correlation !== undefined && d > 1) theta[1] = Math.sqrt(signal * (1 - correlation ** 2));
  const y = Float64Array.from({ length: n }, (_, i) => {
    let mean = 0;
    for (let j = 0; j < d; j++) mean += x[i * d + j] * theta[j];
    return mean + Math.sqrt(noise) * rng.normal();
  });
  const order = Array.from({ length: n }, (_, i) => i);
  if (correlation !== undefined) order.sort((i, j) => x[i * d] - x[j * d]);

  for (let i = 0; i < n; i++) for (let j = 0; j + 1 < d; j++) x[i * d + j] += mixing * x[i * d + j + 1];

  const matrix = new Float64Array(d * d);
  const right = new Float64Array(d);
  for (let a = 0; a + k <= n; a += k) {
    const bag = order.slice(a, a + k);
    const mean = Float64Array.from(
      { length: d },
      (_, j) => bag.reduce((sum, i) => sum + x[i * d + j], 0) / k,
    );
    const answer = privacy
      ? release(
          bag.map((i) => y[i]),
          privacy,
          rng,
        )
      : bag.reduce((sum, i) => sum + y[i], 0) / k;
    for (let j = 0; j < d; j++) right[j] += k * mean[j] * answer;
    addOuter(matrix, mean, k);
    for (const i of bag)
      addOuter(
        matrix,
        mean.map((value, j) => x[i * d + j] - value),
        rho,
      );
  }
  const solver = symmetricSolver(matrix);
  if (solver.rank < d) return Infinity;
  const fitted = solver.solve(right);
  // Back to the features before they were mixed, which are uncorrelated: the excess error of predictions.
  return fitted.reduce((sum, value, j) => sum + (value + mixing * (fitted[j - 1] ?? 0) - theta[j]) ** 2, 0);
}

/** Adds weight · v vᵀ to the lower triangle, all that is factored. */
function addOuter(matrix: Float64Array, v: Float64Array, weight: number): void {
  for (let j = 0; j < v.length; j++) {
    const scaled = weight * v[j];
    for (let l = 0; l <= j; l++) matrix[j * v.length + l] += scaled * v[l];
  }
}

/** Clip, average, add Laplace noise of scale (U − L)/(kε). For simulation: not private. */
function release(
  labels: readonly number[],
  { bounds: [low, high], epsilon }: PrivacySetting,
  rng: Rng,
): number {
  const clipped = labels.reduce((sum, label) => sum + Math.min(Math.max(label, low), high), 0);
  const u = rng.next() - 0.5;
  const laplace = -Math.sign(u) * Math.log1p(-2 * Math.abs(u)) * ((high - low) / epsilon);
  return (clipped + laplace) / labels.length;
}
