// Sub-sets of labelled rows: any rows, and the long-tailed sub-set of selection experiment X2b.

import { requireInteger, requireNumber } from '../../core/check.ts';
import { takeRows } from '../../core/matrix.ts';
import { createRng, sampleIndices, shuffle } from '../../core/rng.ts';
import type { LabelledRows } from './labelled.ts';

/** Copy of the given rows, in the given order. */
export function takeLabelled({ features, labels }: LabelledRows, ids: ArrayLike<number>): LabelledRows {
  return {
    features: takeRows(features, ids),
    labels: Uint8Array.from({ length: ids.length }, (_, i) => labels[ids[i]]),
  };
}

export interface LongTailOptions {
  /** Number of classes, ≥ 2. Default 10. */
  classes?: number;
  /** Rows kept of class 0. Default 4000. */
  head?: number;
  /** Rows of the first class ÷ rows of the last, ≥ 1. Default 50. */
  imbalance?: number;
  /** Chooses which rows are kept. Default 0. */
  seed?: number;
}

/** Rows kept of each class, shape (classes,): class c keeps head · (1 / imbalance)^(c / (classes − 1)), rounded. */
export function longTailSizes({ classes = 10, head = 4000, imbalance = 50 }: LongTailOptions = {}): number[] {
  requireInteger('longTailSizes: classes', classes, 2, 256);
  requireInteger('longTailSizes: head', head, 1);
  requireNumber('longTailSizes: imbalance', imbalance, 1);
  return Array.from({ length: classes }, (_, c) => Math.round(head * imbalance ** (-c / (classes - 1))));
}

/**
 * Chooses rows so that class sizes fall geometrically; a class with too few rows keeps all of them.
 *
 * @param labels - class of each row, shape (n,)
 * @returns row numbers in random order
 * @throws {InvalidArgumentError} an option leaves its range
 */
export function longTailRows(labels: Uint8Array, options: LongTailOptions = {}): Uint32Array {
  const rng = createRng(options.seed ?? 0).fork('long tail');
  const kept = longTailSizes(options).flatMap((size, c) => {
    const members: number[] = [];
    labels.forEach((label, i) => {
      if (label === c) members.push(i);
    });
    const picked = sampleIndices(members.length, Math.min(size, members.length), rng.fork(c));
    return Array.from(picked, (i) => members[i]);
  });
  return shuffle(Uint32Array.from(kept), rng.fork('order'));
}
