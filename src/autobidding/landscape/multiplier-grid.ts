// A log grid of multipliers that contains 1 exactly.

import { requireInteger } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import { DEFAULT_MAX_MULTIPLIER } from '../market/check-setting.ts';
import type { Setting } from '../types.ts';
import { unitsOf } from './arena.ts';

export interface MultiplierGridOptions {
  /** G: multipliers on the grid, ≥ 2. Default 481. */
  size?: number | undefined;
  /** Smallest multiplier, up to a step, in (0, 1). Default e⁻⁴. */
  least?: number | undefined;
}

/** Multipliers to look at instead of all, with what is computed once for a setting. */
export interface MultiplierGrid {
  /** exp(h k) for consecutive integers k, ascending, shape (G,): 1 exactly at k = 0, the setting's cap last. */
  readonly multipliers: Float64Array;
  /** h, the step of the logarithm. */
  readonly step: number;
  /** k of the first multiplier, ≤ 0. */
  readonly first: number;
  /** ln of what an entry bids at multiplier 1, shape (entries,). */
  readonly logUnits: Float64Array;
}

/**
 * A grid from about `least` to the setting's maxMultiplier.
 *
 * With h = ln max ÷ k_max the last point is the cap and 1 is a point; rounding k_max to an integer moves the first point by less than a step.
 *
 * @throws {InvalidArgumentError} an option leaves its range. O(entries)
 */
export function multiplierGrid(
  { market, bidders, maxMultiplier = DEFAULT_MAX_MULTIPLIER }: Setting,
  { size = 481, least = Math.exp(-4) }: MultiplierGridOptions = {},
): MultiplierGrid {
  requireInteger('multiplierGrid: size', size, 2);
  if (!(least > 0 && least < 1)) {
    throw new InvalidArgumentError(`multiplierGrid: least is ${least}; expected a number in (0, 1).`);
  }
  if (!(maxMultiplier >= 1 && maxMultiplier < Infinity)) {
    throw new InvalidArgumentError(
      `multiplierGrid: maxMultiplier is ${maxMultiplier}; expected a finite number ≥ 1.`,
    );
  }
  const above = Math.log(maxMultiplier);
  const share = above / (above - Math.log(least));
  const last = above === 0 ? 0 : Math.max(1, Math.min(size - 2, Math.round((size - 1) * share)));
  const first = last - (size - 1);
  const step = last > 0 ? above / last : Math.log(least) / first;
  const multipliers = Float64Array.from({ length: size }, (_, g) => Math.exp(step * (first + g)));
  multipliers[size - 1] = maxMultiplier; // exp and ln need not undo each other to the last bit
  return { multipliers, step, first, logUnits: unitsOf(market, bidders).map(Math.log) };
}
