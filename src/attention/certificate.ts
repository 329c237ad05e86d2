// What HyperAttention promises: ‖Õ − O‖_op ≤ ε ‖P‖_op ‖V‖_op, with ε from exact answers on a few rows drawn at random.

import type { Certificate } from '../core/certificate.ts';
import { createRng } from '../core/rng.ts';
import { chernoffUpperLimit } from '../core/statistics/index.ts';
import type { Kernels } from '../kernels/index.ts';
import { operatorNorm } from './operator-norm.ts';
import type { HyperOptions, HyperSettings } from './options.ts';
import { headRows, type Problem } from './problem.ts';
import { type ExactRows, exactRows, rowErrors } from './row-sample.ts';
import type { AttentionResult, HyperTrace } from './types.ts';

/**
 * The bound, for the worst head. With e_i the error of row i and R twice the largest ‖v_j − v̄‖ of live keys, ‖e_i‖ ≤ R always, since both outputs are
 * averages of values. From t rows drawn without replacement, the mean of ‖e_i‖² / R² over all rows is at most Chernoff's limit μ with
 * probability 1 − δ / heads. Then ‖Õ − O‖_op ≤ ‖Õ − O‖_F ≤ R √(n_q μ), and ‖P‖_op ≥ √(n_q / n_k), as P maps ones to ones (derived).
 */
export async function hyperCertificate(
  problem: Problem,
  settings: HyperSettings,
  result: AttentionResult & { trace: HyperTrace },
  kernels: Kernels,
  { signal }: HyperOptions,
): Promise<Certificate> {
  const { certifyRows, failureProbability, seed } = settings;
  const statement = '‖Õ − O‖_op / (‖P‖_op ‖V‖_op) of the worst head';
  const common = { statement, seed, backend: result.backend, warnings: [] as string[] };
  const unit = 'dimensionless';
  if (result.trace.plans.length === 0) {
    return {
      ...common,
      source: 'arXiv 2310.05869, below n₀: exact attention, rounding aside',
      assumptions: [{ statement: 'all keys were met', status: 'proved' }],
      bound: { value: 0, unit, failureProbability: 0, scale: 1 },
    };
  }
  if (certifyRows === 0) {
    return {
      ...common,
      source: 'arXiv 2310.05869, main theorem; its constants are not known',
      assumptions: [
        { statement: 'α, κ and srank are n^o(1) and m is large enough', status: 'assumed' },
        { statement: 'the blocks hold the heavy entries', status: 'assumed' },
      ],
      bound: { value: Infinity, unit, failureProbability, scale: 1 },
      warnings: ['No rows were checked (certifyRows is 0): nothing is promised.'],
    };
  }
  const exact = await exactRows(problem, certifyRows, createRng(seed).fork('certificate'), kernels);
  signal?.throwIfAborted();
  const { heads } = problem.logits;
  let worst = { epsilon: 0, relative: 0, lse: 0 };
  for (let head = 0; head < heads; head++) {
    const bound = await headBound(problem, exact, result, head, failureProbability / heads, kernels);
    if (bound.epsilon >= worst.epsilon) worst = bound;
    signal?.throwIfAborted();
  }
  const all = exact.rows.length === problem.logits.queryRows;
  return {
    ...common,
    source: 'derived: Chernoff limit on sampled exact rows; form of arXiv 2310.05869, main theorem',
    assumptions: [
      { statement: 'rows checked are a uniform sample', status: 'proved' },
      { statement: 'outputs are averages of values, so no row is off by more than R', status: 'proved' },
      {
        statement: 'the blocks and samples fit this input',
        status: 'checked',
        measured: worst.relative,
        measure: `√(Σ‖õ − o‖² / Σ‖o‖²) of ${exact.rows.length} rows of the worst head`,
      },
    ],
    bound: { value: worst.epsilon, unit, failureProbability: all ? 0 : failureProbability, scale: 1 },
  };
}

async function headBound(
  problem: Problem,
  exact: ExactRows,
  result: AttentionResult,
  head: number,
  failureProbability: number,
  kernels: Kernels,
): Promise<{ epsilon: number; relative: number; lse: number }> {
  const { heads, keyHeads, queryRows, keyRows, valueDim } = problem.logits;
  const keyHead = Math.floor((head * keyHeads) / heads);
  const { values, storage = 'float32' } = problem.logits;
  const own = headRows({ data: values, storage }, keyHead, keyRows, valueDim);
  const live = liveValues(problem, keyHead, own);
  const reach = 2 * largestDeviation(live, valueDim);
  const { squares, relative, lse } = rowErrors(problem, exact, result, head);
  const sum = squares.reduce((total, x) => total + x, 0);
  const mean = reach === 0 ? 0 : Math.min(1, sum / squares.length / reach ** 2);
  const limit =
    squares.length === queryRows ? mean : chernoffUpperLimit(mean, squares.length, failureProbability);
  const size =
    Math.sqrt(queryRows / (live.length / valueDim)) *
    (await operatorNorm(live, live.length / valueDim, valueDim, kernels));
  const error = reach * Math.sqrt(queryRows * limit);
  return { epsilon: error === 0 ? 0 : error / size, relative, lse };
}

/** The values of keys that are not masked, shape (live, d_v). */
function liveValues(
  { keyMask, batch, logits: { keyHeads, keyRows, valueDim } }: Problem,
  keyHead: number,
  values: Float32Array,
): Float32Array {
  if (!keyMask) return values;
  const entry = Math.floor((keyHead * batch) / keyHeads);
  const rows = Array.from({ length: keyRows }, (_, j) => j).filter((j) => keyMask[entry * keyRows + j] !== 0);
  const live = new Float32Array(rows.length * valueDim);
  rows.forEach((j, i) => {
    live.set(values.subarray(j * valueDim, (j + 1) * valueDim), i * valueDim);
  });
  return live;
}

/** max ‖v_j − v̄‖. */
function largestDeviation(values: Float32Array, cols: number): number {
  const rows = values.length / cols;
  const mean = new Float64Array(cols);
  for (let j = 0; j < rows; j++) for (let c = 0; c < cols; c++) mean[c] += values[j * cols + c] / rows;
  let most = 0;
  for (let j = 0; j < rows; j++) {
    let square = 0;
    for (let c = 0; c < cols; c++) square += (values[j * cols + c] - mean[c]) ** 2;
    most = Math.max(most, square);
  }
  return Math.sqrt(most);
}
