// The certificate's promise held against exact attention.

import { audit, type Certified } from '../core/certificate.ts';
import { requireInteger, requireSeed } from '../core/check.ts';
import type { RunOptions } from '../core/progress.ts';
import { createRng } from '../core/rng.ts';
import { loadKernels } from '../kernels/index.ts';
import type { HyperResult } from './hyper.ts';
import { operatorNorm, probabilityNorm } from './operator-norm.ts';
import { checkProblem } from './problem.ts';
import { errorRows, exactRows, rowErrors } from './row-sample.ts';
import type { AttentionInput } from './types.ts';
import { probabilityFloor, valueNorms } from './value-norms.ts';

export interface AuditOptions extends RunOptions {
  /** Query rows per head done exactly: 'all', or so many drawn at random, ≥ 1. Default 256. */
  rows?: number | 'all';
  /** Default 1. */
  seed?: number;
}

/**
 * Adds the measured ‖Õ − O‖_op / (‖P‖_op ‖V‖_op) of the worst head to a result's certificate.
 *
 * With all rows, both norms are those of the theorem: ‖Õ − O‖_op by its Gram matrix, ‖P‖_op by power iteration with P never formed. With a sample of
 * t rows, √(n_q / t) · ‖E‖_op of the sampled rows of the error stands for the first and the certain √(n_q / n_k) for ‖P‖_op. Masked keys are no part
 * of P and V.
 *
 * @param input - that `result` was computed from; nothing is changed
 * @throws {ShapeError} {InvalidArgumentError} as `hyperAttention`, or an option leaves its domain
 *
 * Time O(rows · n_k · d) per head, and 60 times that of exact attention for ‖P‖_op with all rows.
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
  const { heads, keyHeads, queryRows, valueDim } = problem.logits;
  const count = rows === 'all' ? queryRows : rows;
  const exact = await exactRows(problem, count, createRng(seed).fork('audit'), kernels);
  let worst = 0;
  let norms = await valueNorms(problem, 0, kernels);
  for (let head = 0; head < heads; head++) {
    signal?.throwIfAborted();
    const errors = errorRows(problem, exact, result.value, head);
    const error =
      Math.sqrt(queryRows / exact.rows.length) *
      (await operatorNorm(errors, exact.rows.length, valueDim, kernels));
    const keyHead = Math.floor((head * keyHeads) / heads);
    if (head > 0 && head % (heads / keyHeads) === 0) norms = await valueNorms(problem, keyHead, kernels);
    const floor = probabilityFloor(problem, head, result.value.lse, norms.live);
    const all = exact.rows.length === queryRows;
    const p = all ? Math.max(floor, await probabilityNorm(problem, head, exact.lse, kernels)) : floor;
    if (error > 0) worst = Math.max(worst, error / (p * norms.operator));
  }
  const sample =
    exact.rows.length === queryRows ? `all ${queryRows} rows` : `${exact.rows.length} sampled rows`;
  return audit(result, worst, heads === 1 ? sample : `${sample} of each of ${heads} heads`);
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
