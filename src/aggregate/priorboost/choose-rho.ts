// The last ρ by the loss on random bags that had no part in the run so far.

import type { Matrix64 } from '../../core/matrix.ts';
import { summarize } from '../../core/statistics/index.ts';
import { bagErrors, fitPool, type StageFitting } from './fit-stages.ts';
import type { PriorBoostState, StageRecord } from './state.ts';

/** {0} and 13 values from 10⁻³ to 1, equally far apart on a log scale. */
const RHO_GRID: readonly number[] = [0, ...Array.from({ length: 13 }, (_, i) => 10 ** (i / 4 - 3))];

export interface RhoChoice {
  rho: number;
  /** Shape (grid,). */
  grid: number[];
  /** Loss on the validation bags at each ρ, shape (grid,), (unit of the responses)². */
  losses: number[];
  /** Standard error of each loss minus the least one, shape (grid,). */
  standardErrors: number[];
}

/**
 * Chooses ρ by the loss on the validation bags: among those within one standard error of the least, the one nearest to `priorRho`, since
 * a few bags cannot tell them apart.
 *
 * The bags must be random: sorted ones measure errors along the sorting direction alone, and the instance-level loss prefers shrunken models (derived).
 * And they must not be those of stage 1, not even fold by fold: later bags are sorted by what stage 1 found, its noise included, so a fit that
 * leans on their order (ρ near 1) repeats that noise and looks good on stage 1 alone.
 *
 * @param held - the validation stage, answered
 *
 * One fit for each ρ of the grid.
 */
export async function chooseRho(
  state: PriorBoostState,
  features: Matrix64,
  held: StageRecord,
  fitting: StageFitting,
): Promise<RhoChoice> {
  const errors: Float64Array[] = [];
  for (const [j, rho] of RHO_GRID.entries()) {
    fitting.signal?.throwIfAborted();
    fitting.onProgress?.({ phase: 'choice of rho', done: j, total: RHO_GRID.length });
    const model = await fitPool(state, features, rho, 'choice of rho', { ...fitting, onProgress: undefined });
    errors.push(bagErrors(model, features, held));
  }
  const losses = errors.map((own) => own.reduce((sum, error) => sum + error, 0));
  const best = errors[losses.indexOf(Math.min(...losses))];
  const standardErrors = errors.map((own) => {
    const { variance, count } = summarize(own.map((error, a) => error - best[a]));
    return Math.sqrt(variance * count);
  });
  const least = Math.min(...losses);
  const candidates = RHO_GRID.filter((_, j) => losses[j] - least <= standardErrors[j]);
  const logOf = (rho: number) => Math.log(Math.max(rho, RHO_GRID[1] / 10));
  const distance = (rho: number) => Math.abs(logOf(rho) - logOf(state.settings.priorRho));
  const rho = candidates.reduce((nearest, next) => (distance(next) < distance(nearest) ? next : nearest));
  return { rho, grid: [...RHO_GRID], losses, standardErrors };
}
