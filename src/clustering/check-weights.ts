import { requireLength, requireNonNegative } from '../core/check.ts';
import { InvalidArgumentError } from '../core/errors.ts';

/** @throws {ShapeError | InvalidArgumentError} unless there are `rows` weights, finite, ≥ 0, not all zero */
export function requireWeights(name: string, weights: Float64Array | undefined, rows: number): void {
  if (!weights) return;
  requireLength(name, weights, rows);
  requireNonNegative(name, weights);
  if (!weights.some((weight) => weight > 0)) {
    throw new InvalidArgumentError(`${name} are all 0; expected at least one row of positive weight.`);
  }
}
