// The values that a key head's queries average, and the norms that errors are held against.

import type { Kernels } from '../kernels/index.ts';
import { operatorNorm } from './operator-norm.ts';
import { headRows, liveKeys, type Problem } from './problem.ts';

export interface ValueNorms {
  /** Keys that are not masked. */
  live: number;
  /** ‖V‖_op over live keys, from below. */
  operator: number;
  /** v̄, the mean over live keys, shape (d_v,). */
  center: Float32Array;
  /** ρ = max ‖v_j − v̄‖ over live keys: no average of values is farther from v̄. */
  deviation: number;
}

/** Time O(n_k d_v²). */
export async function valueNorms(problem: Problem, keyHead: number, kernels: Kernels): Promise<ValueNorms> {
  const { valueDim } = problem.logits;
  const values = liveValues(problem, keyHead);
  const live = values.length / valueDim;
  const sums = new Float64Array(valueDim);
  for (let at = 0; at < values.length; ) for (let c = 0; c < valueDim; c++) sums[c] += values[at++];
  // Any center would serve, so it may be rounded.
  const center = Float32Array.from(sums, (sum) => sum / Math.max(1, live));
  return {
    ...{ live, center },
    operator: await operatorNorm(values, live, valueDim, kernels),
    deviation: await largestDistance(values, center, kernels),
  };
}

/** Of rows, shape (rows, d_v), from a point. */
export async function largestDistance(
  points: Float32Array,
  origin: Float32Array,
  kernels: Kernels,
): Promise<number> {
  const dim = origin.length;
  const squares = new Float64Array(points.length / dim);
  await kernels.rowNorms({ points, rows: squares.length, dim, origin, norms: squares });
  return Math.sqrt(squares.reduce((most, square) => Math.max(most, square), 0));
}

/** ‖P‖_op of a head is at least this: P takes ones to 1 in every row that sees a key. @param lse - of the result, exact or not */
export function probabilityFloor(
  { logits: { queryRows } }: Problem,
  head: number,
  lse: Float64Array,
  live: number,
): number {
  let rows = 0;
  for (let i = head * queryRows; i < (head + 1) * queryRows; i++) if (lse[i] > -Infinity) rows++;
  return Math.sqrt(rows / Math.max(1, live));
}

/** Values of keys that are not masked, shape (live, d_v): a view where none is. */
export function liveValues(problem: Problem, keyHead: number): Float32Array {
  const { keyRows, valueDim, values: data, storage = 'float32' } = problem.logits;
  const values = headRows({ data, storage }, keyHead, keyRows, valueDim);
  const mask = liveKeys(problem, keyHead);
  if (!mask) return values;
  const live = new Float32Array(values.length);
  let count = 0;
  for (let j = 0; j < keyRows; j++)
    if (mask[j] !== 0) live.set(values.subarray(j * valueDim, (j + 1) * valueDim), count++ * valueDim);
  return live.subarray(0, count * valueDim);
}
