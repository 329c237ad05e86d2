// Softmax attention over all keys, with its log-sum-exp.

import type { RunOptions } from '../core/progress.ts';
import { type Kernels, loadKernels } from '../kernels/index.ts';
import { checkProblem, emptyResult, type Problem } from './problem.ts';
import { strips } from './strips.ts';
import type { AttentionInput, AttentionResult } from './types.ts';

/**
 * O = softmax(scale · QKᵀ + …) V and lse_i = ln Σ_j e^{s_ij}, for every head.
 *
 * @param input - see `AttentionInput`; never changed
 * @returns O and lse; a row whose keys are all masked gets 0 and −∞
 * @throws {ShapeError} shapes that do not fit each other
 * @throws {InvalidArgumentError} an entry is NaN or infinite (named), a number leaves its range
 *
 * Time O(n_q n_k (d + d_v)) per head, half of it when causal; memory O(1) beyond the result. In float32: a logit is off by at most
 * (d + 3) · 2⁻²⁴ · scale · Σ|q k|. Source: online softmax (Milakov and Gimelshein 2018), derived from the definition.
 */
export async function exactAttention(input: AttentionInput, run: RunOptions = {}): Promise<AttentionResult> {
  run.signal?.throwIfAborted();
  const kernels = await loadKernels();
  const problem = await checkProblem('exactAttention', input, kernels);
  return attendExactly(problem, kernels, run);
}

/** The same of a checked problem. */
export async function attendExactly(
  problem: Problem,
  kernels: Kernels,
  { signal, onProgress }: RunOptions,
): Promise<AttentionResult> {
  const result = emptyResult(problem, kernels);
  const { valueDim } = problem.logits;
  for (const { logits, start, end } of strips(problem.logits)) {
    onProgress?.({ phase: 'exact attention', done: start, total: result.lse.length });
    await kernels.attention({
      ...logits,
      out: result.output.data.subarray(start * valueDim, end * valueDim),
      lse: result.lse.subarray(start, end),
    });
    signal?.throwIfAborted();
  }
  return result;
}
