// The last ρ by the loss on random bags that had no part in the run so far.

import type { Matrix64 } from '../../core/matrix.ts';
import { summarize } from '../../core/statistics/index.ts';
import { bagErrors, fitPath, type StageFitting } from './fit-stages.ts';
import { type FitError, poolError } from './pool-error.ts';
import { lastPool, pooledData, pooledStages } from './pooled-data.ts';
import type { PriorBoostState, StageRecord } from './state.ts';

/** {0} and 13 values from 10⁻³ to 1, equally far apart on a log scale. */
const RHO_GRID: readonly number[] = [0, ...Array.from({ length: 13 }, (_, i) => 10 ** (i / 4 - 3))];

/** With fewer validation bags even their spread is not known. */
const LEAST_BAGS = 5;

export interface RhoChoice {
  rho: number;
  /** Shape (grid,). */
  grid: number[];
  /** Loss on the validation bags at each ρ, shape (grid,), (unit of the responses)². */
  losses: number[];
  /** Standard error of each loss minus the least one, shape (grid,); Infinity with fewer than 5 validation bags. */
  standardErrors: number[];
}

/**
 * Chooses ρ by the loss on the validation bags. A few bags cannot tell those within one standard error of the least apart: among them the one
 * of least estimated error given the bags is taken where models are linear and bags at least twice as many as coefficients (which alone is measured
 * to be near the best, but trusts the model), else the one nearest to `priorRho`.
 *
 * The bags must be random: sorted ones measure errors along the sorting direction alone, and the instance-level loss prefers shrunken models (derived).
 * And they must not be those of stage 1, not even fold by fold: later bags are sorted by what stage 1 found, its noise included, so a fit that
 * leans on their order (ρ near 1) repeats that noise and looks good on stage 1 alone.
 *
 * @param held - the validation stage, answered
 *
 * One fit for each ρ of the grid, or a pass for all of them.
 */
export async function chooseRho(
  state: PriorBoostState,
  features: Matrix64,
  held: StageRecord,
  fitting: StageFitting,
): Promise<RhoChoice> {
  const pool = pooledStages(state, state.settings.pool);
  const models = await fitPath(state, features, RHO_GRID, fitting, pool);
  const errors = models.map((model) => bagErrors(model, features, held));
  const losses = errors.map((own) => own.reduce((sum, error) => sum + error, 0));
  const best = errors[losses.indexOf(Math.min(...losses))];
  const standardErrors = errors.map((own) => {
    const { variance, count } = summarize(own.map((error, a) => error - best[a]));
    return count < LEAST_BAGS ? Infinity : Math.sqrt(variance * count);
  });
  const least = Math.min(...losses);
  const candidates = RHO_GRID.filter((_, j) => losses[j] - least <= standardErrors[j]);
  const data = pooledData(state, lastPool(state));
  // With fewer bags the coefficients that the estimate needs are mostly noise.
  const tells = models[0].toJSON().kind === 'linear' && data.means.length >= 2 * (features.cols + 1);
  const estimate = tells ? await poolError({ features, ...data }, fitting) : undefined;
  const logOf = (rho: number) => Math.log(Math.max(rho, RHO_GRID[1] / 10));
  const badness = candidates.map((rho) =>
    estimate ? expectedError(estimate.at(rho)) : Math.abs(logOf(rho) - logOf(state.settings.priorRho)),
  );
  const rho = candidates[badness.indexOf(Math.min(...badness))];
  return { rho, grid: [...RHO_GRID], losses, standardErrors };
}

/** A fit that is not unique is no choice while another one is there. */
function expectedError(error: FitError | undefined): number {
  return error ? error.squaredBias + error.variance : Infinity;
}
