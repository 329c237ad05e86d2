// Chooses ρ of a generalised linear model by held-out bag means.

import type { RunOptions } from '../../core/progress.ts';
import { drawFolds, type RhoGridOptions, type RhoSelection, rankRhos, rhoGrid } from './cross-validate.ts';
import type { GlmProblem } from './glm-problem.ts';
import { fitProblem } from './glm-start.ts';

/**
 * As `crossValidateRho`: mean predictions of held-out bags against their answers as they came, neither clipped nor smoothed. Each fold is fitted for all
 * ρ from the greatest down, one from the other.
 *
 * Time O(folds · |grid| · fit).
 */
export async function selectGlmRho(
  name: string,
  problem: GlmProblem,
  options: RhoGridOptions & RunOptions & { seed: number; maxIterations: number },
): Promise<RhoSelection> {
  const { data, weights } = problem;
  const { seed, onProgress, signal, maxIterations } = options;
  const grid = rhoGrid(name, options.grid);
  const { foldOf, folds } = drawFolds(name, weights.length, options, seed);
  const squares = new Float64Array(folds * grid.length);
  const foldWeights = new Float64Array(folds);
  let noise = 0;
  for (let f = 0; f < folds; f++) {
    const kept = problem.bags.filter((a) => foldOf[a] !== f);
    const held = problem.bags.filter((a) => foldOf[a] === f);
    for (const a of held) {
      foldWeights[f] += weights[a];
      noise += weights[a] * (data.noiseVariance?.[a] ?? 0);
    }
    let start: Float64Array | undefined;
    for (let g = grid.length - 1; g >= 0; g--) {
      const fold = { ...problem, bags: kept, rho: grid[g] };
      const { parameters } = await fitProblem(fold, { signal, maxIterations }, start);
      start = parameters;
      squares[f * grid.length + g] = heldOutSquares(problem, held, parameters);
      onProgress?.({
        phase: 'cross-validation',
        done: f * grid.length + grid.length - g,
        total: folds * grid.length,
      });
    }
  }
  const selection = rankRhos(grid, squares, foldWeights);
  selection.noiseVariance = noise / foldWeights.reduce((sum, w) => sum + w, 0);
  return selection;
}

/** Σ w·(ȳ − mean prediction)² over bags. O(n d). */
function heldOutSquares(
  { data, weights, loss, center }: GlmProblem,
  bags: Uint32Array,
  parameters: Float64Array,
): number {
  const { offsets, members } = data.bags;
  const d = data.features.cols;
  let sum = 0;
  for (const a of bags) {
    let mean = 0;
    for (let i = offsets[a]; i < offsets[a + 1]; i++) {
      let eta = parameters[0];
      for (let j = 0; j < d; j++) {
        eta += parameters[1 + j] * (data.features.data[members[i] * d + j] - center[j]);
      }
      mean += loss.mean(eta);
    }
    sum += weights[a] * (data.means[a] - mean / (offsets[a + 1] - offsets[a])) ** 2;
  }
  return sum;
}
