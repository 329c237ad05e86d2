// The certificate's promise held against exact attention.

import { audit, type Certified, shortNumber } from '../core/certificate.ts';
import { requireInteger, requireSeed } from '../core/check.ts';
import type { RunOptions } from '../core/progress.ts';
import { createRng, type Rng } from '../core/rng.ts';
import { type Kernels, loadKernels } from '../kernels/index.ts';
import type { HyperResult } from './hyper.ts';
import { operatorNorm, operatorNormAbove, probabilityNorm } from './operator-norm.ts';
import { checkProblem, type Problem } from './problem.ts';
import { outputRounding } from './rounding.ts';
import { errorRows, exactRows, rowErrors } from './row-sample.ts';
import type { AttentionInput, AttentionResult } from './types.ts';
import { largestDistance, liveValues, probabilityFloor } from './value-norms.ts';

export interface AuditOptions extends RunOptions {
  /** Query rows per head done exactly: 'all', or so many drawn at random, ≥ 1. Default 256. */
  rows?: number | 'all';
  /** Default 1. */
  seed?: number;
}

/**
 * Adds the measured ‖Õ − O‖_op / (‖P‖_op ‖V‖_op) of the worst head to a result's certificate.
 *
 * The figure never errs upwards, so that no bound that holds is called broken. With all rows it is the theorem's ratio, from below by at most about 1 %:
 * ‖Õ − O‖_op by its Gram matrix, ‖P‖_op by power iteration with P never formed. A sample of rows is held against what the certificate is derived for,
 * ‖Õ − O‖_op over the least that ‖P‖_op can be, √(rows that see a key / live keys): ‖E_S‖_op of the sampled rows of the error is no more than ‖E‖_op. What all rows may
 * give, √(n_q / t) as much, is told beside it as an estimate. Should the sample alone exceed the bound, all rows are done: P may have a larger norm. Masked
 * keys are no part of P and V. What float32 may add is not held against a bound.
 *
 * @param input - that `result` was computed from; nothing is changed
 * @throws {ShapeError} {InvalidArgumentError} as `hyperAttention`, or an option leaves its domain
 *
 * Time O(rows · n_k · d) per head; with all rows, up to 60 times that of exact attention for ‖P‖_op. Source: derived.
 */
export async function auditAttention(
  input: AttentionInput,
  result: Certified<HyperResult>,
  { rows = 256, seed = 1, signal }: AuditOptions = {},
): Promise<Certified<HyperResult>> {
  if (rows !== 'all') requireInteger('auditAttention: rows', rows, 1);
  requireSeed('auditAttention: seed', seed);
  signal?.throwIfAborted();
  const kernels = await loadKernels();
  const problem = await checkProblem('auditAttention', input, kernels);
  const { heads, queryRows } = problem.logits;
  const bound = result.certificate.bound.value;
  const count = rows === 'all' ? queryRows : rows;
  let found = await worstHead(problem, result.value, count, createRng(seed).fork('audit'), kernels, signal);
  if (found.rows < queryRows && found.error > bound + found.rounding)
    found = await worstHead(problem, result.value, queryRows, createRng(seed), kernels, signal);
  const each = heads === 1 ? '' : ` of each of ${heads} heads`;
  const sample =
    found.rows === queryRows
      ? `all ${queryRows} rows${each}`
      : `${found.rows} sampled rows${each}, at least (about ${shortNumber(found.estimate)} estimated for all)`;
  return audit(result, found.error, sample, found.rounding);
}

interface HeadError {
  /** Of the ratio, from below. */
  error: number;
  /** The same scaled to all rows: errs upwards. */
  estimate: number;
  /** What float32 may have added to `error`. */
  rounding: number;
  /** Rows done exactly. */
  rows: number;
}

/** The head of the largest error beyond rounding. @param count - of rows done exactly in each head */
async function worstHead(
  problem: Problem,
  result: AttentionResult,
  count: number,
  rng: Rng,
  kernels: Kernels,
  signal: AbortSignal | undefined,
): Promise<HeadError> {
  const { heads, keyHeads, queryRows, valueDim } = problem.logits;
  const exact = await exactRows(problem, count, rng, kernels);
  const rows = exact.rows.length;
  let worst: HeadError = { error: 0, estimate: 0, rounding: 0, rows };
  for (let keyHead = 0; keyHead < keyHeads; keyHead++) {
    const values = liveValues(problem, keyHead);
    const live = values.length / valueDim;
    const norm = await operatorNormAbove(values, live, valueDim, kernels);
    const longest = await largestDistance(values, new Float32Array(valueDim), kernels);
    for (let head = (keyHead * heads) / keyHeads; head < ((keyHead + 1) * heads) / keyHeads; head++) {
      signal?.throwIfAborted();
      const error = await operatorNorm(errorRows(problem, exact, result, head), rows, valueDim, kernels);
      if (error === 0) continue;
      const p =
        rows === queryRows
          ? (await probabilityNorm(problem, head, exact.lse, kernels)).high
          : probabilityFloor(problem, head, result.lse, live);
      const share = await outputRounding(problem, head, largestSize(exact.lse, head, rows), kernels);
      // Both outputs are rounded, and so are the norms that the error is divided by.
      const rounding = (share * (error + 2 * Math.sqrt(rows) * longest)) / (p * norm);
      const ratio = error / (p * norm);
      if (ratio - rounding > worst.error - worst.rounding || worst.error === 0)
        worst = { error: ratio, estimate: Math.sqrt(queryRows / rows) * ratio, rounding, rows };
    }
  }
  return worst;
}

/** Largest finite |lse| of the rows looked at. */
function largestSize(lse: Float64Array, head: number, rows: number): number {
  const own = lse.subarray(head * rows, (head + 1) * rows);
  return own.reduce((most, x) => (x === -Infinity ? most : Math.max(most, Math.abs(x))), 0);
}

/** Relative Frobenius error and largest error of lse on sampled rows, all heads together. */
export interface MeasuredError {
  /** √(Σ‖õ_i − o_i‖² / Σ‖o_i‖²), the largest of all heads. */
  relative: number;
  /** Largest |õlse − lse|, in nats. */
  lse: number;
  /** Rows looked at in each head. */
  rows: number;
}

/** How far any approximate result is off. @param count - query rows per head done exactly, drawn by `seed` */
export async function measureError(
  input: AttentionInput,
  approximate: { output: { data: Float32Array }; lse: Float64Array },
  count = 256,
  seed = 1,
): Promise<MeasuredError> {
  requireInteger('measureError: count', count, 1);
  requireSeed('measureError: seed', seed);
  const kernels = await loadKernels();
  const problem = await checkProblem('measureError', input, kernels);
  const exact = await exactRows(problem, count, createRng(seed).fork('audit'), kernels);
  const measured: MeasuredError = { relative: 0, lse: 0, rows: exact.rows.length };
  for (let head = 0; head < problem.logits.heads; head++) {
    const { relative, lse } = rowErrors(problem, exact, approximate, head);
    measured.relative = Math.max(measured.relative, relative);
    measured.lse = Math.max(measured.lse, lse);
  }
  return measured;
}
