// What strategies share: checks of their input, drawing by probability, ranking by value.

import { requireInteger, requireLength, requireNonNegative, requireOneOf } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import { type Matrix32, type RowSource, requireFiniteMatrix, requireMatrix } from '../../core/matrix.ts';
import { createRng } from '../../core/rng.ts';
import { drawWith } from '../sampling/draw-sample.ts';
import { SAMPLING_SCHEMES } from '../types.ts';
import type { StrategyInput, StrategyOptions, StrategySelection } from './types.ts';

/** @throws {InvalidArgumentError} there are none */
export function needEmbeddings(name: string, { embeddings }: StrategyInput): Matrix32 | RowSource {
  if (!embeddings) throw missing(name, 'embeddings, shape (n, d)');
  return embeddings;
}

/** @throws {InvalidArgumentError} there are none, or one is not finite */
export function needProbabilities(name: string, { probabilities }: StrategyInput): Matrix32 {
  if (!probabilities) throw missing(name, 'probabilities, shape (n, classes)');
  requireMatrix(`${name}: probabilities`, probabilities);
  requireFiniteMatrix(`${name}: probabilities`, probabilities);
  requireInteger(`${name}: classes`, probabilities.cols, 2);
  return probabilities;
}

/** @throws {InvalidArgumentError} there are none, or one is negative or not finite */
export function needLosses(name: string, { losses }: StrategyInput): ArrayLike<number> {
  if (!losses) throw missing(name, 'losses of all rows');
  requireNonNegative(`${name}: losses`, losses);
  return losses;
}

/** Number of rows, from whatever tells it. @throws {ShapeError} two inputs disagree */
export function countRows(name: string, { rows, embeddings, probabilities, losses }: StrategyInput): number {
  const n = rows ?? embeddings?.rows ?? probabilities?.rows ?? losses?.length;
  if (n === undefined) throw missing(name, 'rows, or data that tells their number');
  requireInteger(`${name}: rows`, n, 1);
  if (embeddings) requireLength(`${name}: embeddings`, { length: embeddings.rows }, n);
  if (probabilities) requireLength(`${name}: probabilities`, { length: probabilities.rows }, n);
  if (losses) requireLength(`${name}: losses`, losses, n);
  return n;
}

/** A weighted sample with probabilities proportional to p. */
export function drawBy(
  p: Float64Array,
  { size, seed = 0, scheme = 'fixed-size' }: StrategyOptions,
): StrategySelection {
  requireInteger('strategy: size', size, 1);
  requireOneOf('strategy: scheme', scheme, SAMPLING_SCHEMES);
  const sample = drawWith(p, { size, scheme, rng: createRng(seed).fork('strategy') });
  return { ids: sample.ids, sample };
}

/** The rows with the largest values, largest first, ties by lowest id. */
export function rankBy(values: Float64Array, { size }: StrategyOptions): StrategySelection {
  requireInteger('strategy: size', size, 1);
  const order = Uint32Array.from(values, (_, e) => e).sort((a, b) => values[b] - values[a] || a - b);
  return { ids: order.slice(0, size), sample: undefined };
}

function missing(name: string, what: string): InvalidArgumentError {
  return new InvalidArgumentError(
    `${name}: its input lacks ${what}. Pass them, or take a strategy that does without.`,
  );
}
