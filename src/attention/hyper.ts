// HyperAttention: exact inside blocks of keys found by hashing, sampled outside them.

import type { Certified } from '../core/certificate.ts';
import { yieldToEventLoop } from '../core/progress.ts';
import { createRng } from '../core/rng.ts';
import { type Kernels, loadKernels } from '../kernels/index.ts';
import { hyperCertificate } from './certificate.ts';
import { redoExactly, rowStandardErrors } from './error-bars.ts';
import { attendExactly } from './exact.ts';
import { hashHeads } from './head-hashes.ts';
import { completeOptions, type HyperOptions, type HyperSettings } from './options.ts';
import { buildPlans, isExact } from './plans.ts';
import { checkProblem, emptyResult, type Problem } from './problem.ts';
import type { AttentionInput, AttentionResult, HyperTrace } from './types.ts';

export interface HyperResult extends AttentionResult {
  trace: HyperTrace;
  /** Estimated standard error of ‖õ_i − o_i‖₂ with `errorBars`, before `fallback`, an upper value where sampling is stratified; shape (batch, heads, n_q), in the unit of the values. */
  rowErrors?: Float64Array;
  /** Rows done exactly by `fallback`. */
  exactRows: number;
}

/**
 * Attention in O(n (b + m) d) instead of O(n² d): each query meets the b keys of its block exactly and m uniformly sampled keys with weight n/m in
 * place of all others; causal attention is split into halves down to exact leaves of n₀ rows, which adds a factor log(n / n₀).
 *
 * Given the hash, Σ_j e^{s_ij} is estimated without bias; the output, a quotient, with bias O(1/m). With the default blocks no row depends on a later
 * query, key or value, and the result is the same for any number of threads.
 *
 * @param input - see `AttentionInput`; never changed. Keys that are masked are not sorted, sampled or counted in n
 * @returns O, lse and what was computed; the certificate bounds ‖Õ − O‖_op / (‖P‖_op ‖V‖_op), the worst of all heads
 * @throws {ShapeError} shapes that do not fit each other
 * @throws {InvalidArgumentError} an entry is NaN or infinite (named), or an option leaves its domain
 *
 * Memory O(n d) beyond the result. Source: arXiv 2310.05869, Algorithms 1, 3 and 4 in the practical form of its experiments; hash-aligned blocks,
 * masked samples for every shape, and true lengths instead of padding are derived here (docs/attention.md).
 */
export async function hyperAttention(
  input: AttentionInput,
  options: HyperOptions = {},
): Promise<Certified<HyperResult>> {
  options.signal?.throwIfAborted();
  const settings = completeOptions('hyperAttention', options, input.causal ?? false);
  const kernels = await loadKernels();
  const problem = await checkProblem('hyperAttention', input, kernels);
  const value = await runHyper(problem, settings, kernels, options);
  const certificate = await hyperCertificate(problem, settings, value, kernels, options);
  return { value, certificate };
}

async function runHyper(
  problem: Problem,
  settings: HyperSettings,
  kernels: Kernels,
  { signal, onProgress }: HyperOptions,
): Promise<HyperResult> {
  const { logits, causal } = problem;
  const { heads, queryRows, keyRows } = logits;
  const exactPairs = heads * (causal ? (queryRows * (queryRows + 1)) / 2 : queryRows * keyRows);
  if (isExact(problem, settings)) {
    const result = await attendExactly(problem, kernels, { signal, onProgress });
    const trace = { plans: [], pairs: exactPairs, exactPairs };
    const rowErrors = settings.errorBars && { rowErrors: new Float64Array(result.lse.length) };
    return { ...result, trace, ...rowErrors, exactRows: 0 };
  }
  const result = emptyResult(problem, kernels);
  const target = { out: result.output.data, lse: result.lse };
  const rng = createRng(settings.seed);
  const pause = async () => {
    await yieldToEventLoop();
    signal?.throwIfAborted();
  };
  onProgress?.({ phase: 'hashing', done: 0, total: 1 });
  const hashes = await hashHeads(problem, settings, rng.fork('directions'), kernels, pause);
  const { plans, pairs } = await buildPlans(problem, settings, hashes, rng.fork('plans'), pause);
  for (const [i, tiles] of plans.entries()) {
    onProgress?.({ phase: 'attention', done: i, total: plans.length });
    await kernels.attention({ ...logits, ...target, tiles, merge: i > 0 });
    signal?.throwIfAborted();
  }
  const value: HyperResult = { ...result, trace: { plans, pairs, exactPairs }, exactRows: 0 };
  if (!settings.errorBars) return value;
  value.rowErrors = await rowStandardErrors(problem, value, settings.sampling, kernels);
  signal?.throwIfAborted();
  if (settings.fallback < Infinity)
    value.exactRows = await redoWorst(problem, settings.fallback, value, kernels);
  return value;
}

/** Does rows again whose error bar is above its limit. @returns how many */
function redoWorst(
  problem: Problem,
  fallback: number,
  value: HyperResult,
  kernels: Kernels,
): Promise<number> {
  const { heads, queryRows, valueDim } = problem.logits;
  const limits = Array.from({ length: heads }, (_, head) => {
    const own = value.output.data.subarray(head * queryRows * valueDim, (head + 1) * queryRows * valueDim);
    return fallback * Math.sqrt(own.reduce((sum, x) => sum + x * x, 0) / queryRows);
  });
  const { rowErrors = new Float64Array(0) } = value;
  return redoExactly(problem, value, (i) => rowErrors[i] > limits[Math.floor(i / queryRows)], kernels);
}
