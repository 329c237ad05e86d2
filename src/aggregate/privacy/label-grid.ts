// Labels as whole numbers of steps above a public bound: what exact noise can be added to.

import { InvalidArgumentError } from '../../core/errors.ts';

export interface LabelGridOptions {
  /** Public bounds [L, U] that labels are clipped to, L < U: constants known without the labels. */
  bounds: readonly [number, number];
  /** Step of the grid, in the unit of the labels; at most U − L. Default (U − L)/1000. For labels 0 and 1 take 1: the least noise. */
  grid?: number | undefined;
}

/** A grid of whole steps from L to U. */
export interface LabelGrid {
  readonly low: number;
  readonly high: number;
  /** Step, in the unit of the labels. */
  readonly step: number;
  /** Most that one label can change a sum of steps, Δ: an integer ≥ 1. */
  readonly sensitivity: number;
}

/** Steps that fit an Int32Array. */
const MAX_STEPS = 0x7fffffff;

/**
 * @param name - public function, for messages
 * @throws {InvalidArgumentError} bounds are not two finite numbers L < U, or the grid does not fit between them
 */
export function labelGrid(name: string, { bounds, grid }: LabelGridOptions): LabelGrid {
  // A caller without types may pass "auto": bounds taken from the labels would tell about them.
  if (!Array.isArray(bounds) || bounds.length !== 2 || !bounds.every(Number.isFinite)) {
    throw new InvalidArgumentError(
      `${name}: bounds is ${JSON.stringify(bounds)}; expected two finite numbers [L, U] known without the labels. Take them from the meaning of the label, never from its values.`,
    );
  }
  const [low, high] = bounds as readonly [number, number];
  if (!(low < high) || !Number.isFinite(high - low)) {
    throw new InvalidArgumentError(
      `${name}: bounds are [${low}, ${high}]; expected L < U with a finite distance.`,
    );
  }
  const step = grid ?? (high - low) / 1000;
  // Subtracting, dividing and rounding keep the order of doubles, so no clipped label has more steps than U has.
  const sensitivity = Math.round((high - low) / step);
  if (!Number.isFinite(step) || step <= 0 || sensitivity < 1 || sensitivity > MAX_STEPS) {
    throw new InvalidArgumentError(
      `${name}: grid is ${step}; expected a step > 0 with 1 to ${MAX_STEPS} steps in [${low}, ${high}]. Use 1 for labels 0 and 1.`,
    );
  }
  return { low, high, step, sensitivity };
}

/**
 * Sums of steps of all labels must be whole numbers that a double holds, with room for noise.
 *
 * @throws {InvalidArgumentError} they could be above 2⁵²
 */
export function requireExactSums(name: string, { step, sensitivity }: LabelGrid, count: number): void {
  if (count * sensitivity > 2 ** 52) {
    throw new InvalidArgumentError(
      `${name}: grid is ${step}, so that ${count} labels may sum to ${count * sensitivity} steps; expected at most 2^52. Take a coarser grid.`,
    );
  }
}

/** Steps of a finite label above L after clipping, an integer in [0, sensitivity]. */
export function stepsOf({ low, high, step }: LabelGrid, label: number): number {
  return Math.round((Math.min(Math.max(label, low), high) - low) / step);
}

/** Mean of `size` labels from the sum of their steps. */
export function meanOfSteps({ low, step }: LabelGrid, sum: number, size: number): number {
  return low + (step * sum) / size;
}
