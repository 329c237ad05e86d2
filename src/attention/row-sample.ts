// Exact attention on some query rows, to know how far an approximation is off.

import { type Rng, sampleIndices } from '../core/rng.ts';
import type { AttentionLogits, Kernels } from '../kernels/index.ts';
import { PlanBuilder, range } from './plan-builder.ts';
import type { Problem } from './problem.ts';
import { headRange } from './strips.ts';

/** Exact rows of every head. */
export interface ExactRows {
  /** Query rows looked at, ascending, the same t for all heads. */
  rows: Uint32Array;
  /** Shape (heads, t, d_v). */
  output: Float32Array;
  /** Shape (heads, t). */
  lse: Float64Array;
}

/** Entries of the full-sized output that is held beside the result: 64 MiB. */
const SCRATCH = 1 << 24;

/** @param count - rows wanted; all when there are no more. Time O(count · n_k · d) per head, memory that of 64 MiB or one group of heads */
export async function exactRows(
  problem: Problem,
  count: number,
  rng: Rng,
  kernels: Kernels,
): Promise<ExactRows> {
  const { heads, keyHeads, queryRows, keyRows, valueDim } = problem.logits;
  const rows = count >= queryRows ? range(0, queryRows) : sampleIndices(queryRows, count, rng).sort();
  const t = rows.length;
  const exact = { rows, output: new Float32Array(heads * t * valueDim), lse: new Float64Array(heads * t) };
  const { causalOffset, bias, slopes } = problem.logits;
  if (causalOffset === undefined && !bias && !slopes) {
    const queries = gatheredRows(problem.logits, rows);
    await kernels.attention({
      ...problem.logits,
      ...{ queries, queryRows: t, out: exact.output, lse: exact.lse },
    });
    return exact;
  }
  const group = heads / keyHeads;
  const atOnce = Math.max(1, Math.floor(SCRATCH / Math.max(1, group * queryRows * valueDim)));
  // Here it matters which row a query is, so the output is full-sized; several heads keep all threads busy.
  for (let first = 0; first < keyHeads; first += atOnce) {
    const last = Math.min(keyHeads, first + atOnce);
    const { logits, start: firstRow } = headRange(problem.logits, first * group, last * group, first, last);
    const plan = new PlanBuilder();
    const start = plan.addKeys(range(0, keyRows));
    for (let head = 0; head < logits.heads; head++)
      plan.addTile(head, rows, [{ start, end: start + keyRows, logWeight: 0 }]);
    const out = new Float32Array(logits.heads * queryRows * valueDim);
    const lse = new Float64Array(logits.heads * queryRows);
    await kernels.attention({ ...logits, tiles: plan.build(), out, lse });
    for (let head = 0; head < logits.heads; head++)
      rows.forEach((row, i) => {
        const [from, to] = [head * queryRows + row, (firstRow / queryRows + head) * t + i];
        exact.output.set(out.subarray(from * valueDim, (from + 1) * valueDim), to * valueDim);
        exact.lse[to] = lse[from];
      });
  }
  return exact;
}

/** Some query rows of every head, shape (heads, t, dim). */
function gatheredRows({ queries, heads, queryRows, dim }: AttentionLogits, rows: Uint32Array): Float32Array {
  const gathered = new Float32Array(heads * rows.length * dim);
  for (let head = 0; head < heads; head++)
    rows.forEach((row, i) => {
      const from = (head * queryRows + row) * dim;
      gathered.set(queries.subarray(from, from + dim), (head * rows.length + i) * dim);
    });
  return gathered;
}

/** õ_i − o_i of the rows looked at in one head, shape (t, d_v). */
export function errorRows(
  { logits: { queryRows, valueDim } }: Problem,
  exact: ExactRows,
  approximate: { output: { data: Float32Array } },
  head: number,
): Float32Array {
  const errors = new Float32Array(exact.rows.length * valueDim);
  exact.rows.forEach((row, i) => {
    const [own, other] = [(head * exact.rows.length + i) * valueDim, (head * queryRows + row) * valueDim];
    for (let c = 0; c < valueDim; c++)
      errors[i * valueDim + c] = approximate.output.data[other + c] - exact.output[own + c];
  });
  return errors;
}

/** How far the sampled rows of one head are off. */
export interface RowErrors {
  /** √(Σ‖õ_i − o_i‖² / Σ‖o_i‖²) over them. */
  relative: number;
  /** Largest |õlse_i − lse_i|. */
  lse: number;
}

export function rowErrors(
  problem: Problem,
  exact: ExactRows,
  approximate: { output: { data: Float32Array }; lse: Float64Array },
  head: number,
): RowErrors {
  const { queryRows, valueDim } = problem.logits;
  const [t, start] = [exact.rows.length, head * exact.rows.length];
  const squares = (values: Float32Array) => values.reduce((sum, x) => sum + x * x, 0);
  const error = squares(errorRows(problem, exact, approximate, head));
  const size = squares(exact.output.subarray(start * valueDim, (start + t) * valueDim));
  let lse = 0;
  exact.rows.forEach((row, i) => {
    const [own, other] = [exact.lse[start + i], approximate.lse[head * queryRows + row]];
    if (own !== other) lse = Math.max(lse, Math.abs(own - other));
  });
  return { relative: size === 0 ? 0 : Math.sqrt(error / size), lse };
}
