// Exact attention on some query rows, to know how far an approximation is off.

import { type Rng, sampleIndices } from '../core/rng.ts';
import type { Kernels } from '../kernels/index.ts';
import { PlanBuilder, range } from './plan-builder.ts';
import type { Problem } from './problem.ts';

/** Exact rows of every head. */
export interface ExactRows {
  /** Query rows looked at, ascending, the same for all heads. */
  rows: Uint32Array;
  /** Shape (heads, n_q, d_v); only the sampled rows are filled. */
  output: Float32Array;
  /** Shape (heads, n_q). */
  lse: Float64Array;
}

/** @param count - rows wanted; all when there are no more. Time O(count · n_k · d) per head. */
export async function exactRows(
  problem: Problem,
  count: number,
  rng: Rng,
  kernels: Kernels,
): Promise<ExactRows> {
  const { logits } = problem;
  const { heads, queryRows, keyRows, valueDim } = logits;
  const rows = count >= queryRows ? range(0, queryRows) : sampleIndices(queryRows, count, rng).sort();
  const plan = new PlanBuilder();
  const start = plan.addKeys(range(0, keyRows));
  for (let head = 0; head < heads; head++)
    plan.addTile(head, rows, [{ start, end: start + keyRows, logWeight: 0 }]);
  const output = new Float32Array(heads * queryRows * valueDim);
  const lse = new Float64Array(heads * queryRows);
  await kernels.attention({ ...logits, tiles: plan.build(), out: output, lse });
  return { rows, output, lse };
}

/** How far the sampled rows of one head are off. */
export interface RowErrors {
  /** ‖õ_i − o_i‖² of each sampled row. */
  squares: Float64Array;
  /** √(Σ‖õ_i − o_i‖² / Σ‖o_i‖²) over them. */
  relative: number;
  /** Largest |õlse_i − lse_i|. */
  lse: number;
}

export function rowErrors(
  { logits: { queryRows, valueDim } }: Problem,
  exact: ExactRows,
  approximate: { output: { data: Float32Array }; lse: Float64Array },
  head: number,
): RowErrors {
  let [error, size, lse] = [0, 0, 0];
  const squares = Float64Array.from(exact.rows, (row) => {
    const at = head * queryRows + row;
    let square = 0;
    for (let c = at * valueDim; c < (at + 1) * valueDim; c++) {
      square += (approximate.output.data[c] - exact.output[c]) ** 2;
      size += exact.output[c] ** 2;
    }
    error += square;
    if (exact.lse[at] !== approximate.lse[at])
      lse = Math.max(lse, Math.abs(exact.lse[at] - approximate.lse[at]));
    return square;
  });
  return { squares, relative: size === 0 ? 0 : Math.sqrt(error / size), lse };
}
