// Confidence intervals of linear fits.

import { Matrix } from 'ml-matrix';
import { type RunOptions, yieldToEventLoop } from '../../core/progress.ts';
import { loadKernels } from '../../kernels/index.ts';
import type { AggregateData } from '../types.ts';
import { GramBuffer } from './gram-buffer.ts';
import type { LinearSolution, LinearSystem } from './linear-system.ts';
import { type SandwichInference, sandwich } from './sandwich.ts';

/** Features read between two visits to the event loop: about 20 ms. */
const STEP = 1e7;

/**
 * Sandwich intervals of the estimating equation Σ ψ_a = λθ, with A = G + ρW + λI and
 * ψ_a = w_a (x̄_a r_a − ρ (1/k_a) Σ (x_i − x̄_a)(f_i − f̄_a)), r_a = ȳ_a − f̄_a (derived).
 *
 * At ρ = λ = 0 the intervals are about θ* of a linear truth; otherwise about the coefficients that the objective itself converges to, which are shrunken.
 *
 * Time O(n d + m d² + d³).
 */
export async function linearInference(
  data: AggregateData,
  weights: Float64Array,
  { statistics, mean, intercept }: LinearSystem,
  { rho, coefficients, level, solver }: LinearSolution,
  { confidence, signal, onProgress }: { confidence: number } & RunOptions,
): Promise<SandwichInference> {
  const { features, bags, means } = data;
  const { offsets, members } = bags;
  const d = coefficients.length;
  const count = weights.length;
  const { center } = statistics;
  const meat = new GramBuffer(await loadKernels(), d + 1);
  const score = new Float64Array(d + 1); // of the level first
  const bagMean = new Float64Array(d);
  let work = 0;
  for (let a = 0; a < count; a++) {
    const size = offsets[a + 1] - offsets[a];
    bagMean.fill(0);
    for (let i = offsets[a]; i < offsets[a + 1]; i++) {
      for (let j = 0; j < d; j++) bagMean[j] += (features.data[members[i] * d + j] - center[j]) / size;
    }
    let prediction = level;
    for (let j = 0; j < d; j++) prediction += coefficients[j] * bagMean[j];
    const residual = means[a] - prediction;
    score[0] = residual;
    for (let j = 0; j < d; j++) score[1 + j] = (bagMean[j] - mean[j]) * residual;
    for (let i = offsets[a]; i < offsets[a + 1] && size > 1 && rho > 0; i++) {
      const start = members[i] * d;
      let deviation = 0;
      for (let j = 0; j < d; j++) {
        deviation += coefficients[j] * (features.data[start + j] - center[j] - bagMean[j]);
      }
      const share = (rho * deviation) / size;
      for (let j = 0; j < d; j++) {
        score[1 + j] -= share * (features.data[start + j] - center[j] - bagMean[j]);
      }
    }
    meat.add(score, 0, weights[a] ** 2);
    if (meat.full) await meat.flush();
    work += 3 * (size + 1) * d;
    if (work > STEP) {
      work = 0;
      signal?.throwIfAborted();
      onProgress?.({ phase: 'sandwich covariance', done: a + 1, total: count });
      await yieldToEventLoop();
    }
  }
  const inverse = solver.inverse();
  const bread = Matrix.zeros(d + 1, d + 1);
  bread.set(0, 0, 1 / statistics.between.weight);
  bread.setSubMatrix(inverse, 1, 1);
  return sandwich({
    bread,
    meat: await meat.total(),
    // The level at the weighted mean is independent of the coefficients to first order.
    point: center.map((c, j) => c + mean[j]),
    level: level + coefficients.reduce((sum, theta, j) => sum + theta * mean[j], 0),
    coefficients,
    intercept,
    bags: count,
    parameters: solver.rank + (intercept ? 1 : 0),
    confidence,
  });
}
