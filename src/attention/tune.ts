// The cheapest parameters for a wanted error.

import { requireInteger, requirePositive, requireSeed } from '../core/check.ts';
import type { RunOptions } from '../core/progress.ts';
import { createRng } from '../core/rng.ts';
import { loadKernels } from '../kernels/index.ts';
import { hyperAttention } from './hyper.ts';
import type { HyperOptions } from './options.ts';
import { checkProblem } from './problem.ts';
import { type ExactRows, exactRows, rowErrors } from './row-sample.ts';
import type { AttentionInput } from './types.ts';

export interface TuneOptions extends RunOptions {
  /** Relative error wanted, √(Σ‖õ − o‖² / Σ‖o‖²) on the rows of the worst head, > 0. */
  target: number;
  /** Query rows per head done exactly, to choose by and once more to check the choice, ≥ 1. Default 64. */
  rows?: number;
  /** The runs take it and the next two. Default 0. */
  seed?: number;
}

/** One setting that was tried. */
export interface TuneTrial {
  options: Required<Pick<HyperOptions, 'blockSize' | 'sampleSize' | 'minSequence' | 'hashBits'>>;
  /** The larger of two seeds'. */
  relativeError: number;
  /** (query, key) pairs, as a share of those of exact attention. */
  cost: number;
}

export interface TuneResult {
  /** The cheapest trial that met the target; undefined: none did, use exact attention. */
  best: TuneTrial | undefined;
  /** Relative error of the best with a third seed on rows drawn anew, which had no say in the choice: may be above the target. */
  freshError: number | undefined;
  /** In the order they were made. */
  trials: TuneTrial[];
}

/**
 * Finds block size, sample size, hash bits and, for causal attention, n₀ that reach a wanted error at least cost: doubles b = m from 32 on until the target is
 * met, then tries the cheaper neighbours (half the samples, half the block, smaller n₀, other bits).
 *
 * Of many trials the one that looks best on some rows was also lucky there: so it must reach the target with two seeds, and is measured once more.
 *
 * @throws {InvalidArgumentError} an option leaves its domain, or as `hyperAttention`
 *
 * Time: about two dozen HyperAttentions and 2 · `rows` exact rows.
 */
export async function tuneAttention(
  input: AttentionInput,
  { target, rows = 64, seed = 0, signal, onProgress }: TuneOptions,
): Promise<TuneResult> {
  requirePositive('tuneAttention: target', target);
  requireInteger('tuneAttention: rows', rows, 1);
  requireSeed('tuneAttention: seed', seed);
  const kernels = await loadKernels();
  const problem = await checkProblem('tuneAttention', input, kernels);
  const { heads, queryRows } = problem.logits;
  const rng = createRng(seed);
  const drawn = (label: string) => exactRows(problem, rows, rng.fork(label), kernels);
  const measure = async (options: TuneTrial['options'], exact: ExactRows, run: number) => {
    signal?.throwIfAborted();
    const own = { ...options, seed: (seed + run) >>> 0, certifyRows: 0 };
    const { value } = await hyperAttention(input, { ...own, signal });
    let error = 0;
    for (let head = 0; head < heads; head++)
      error = Math.max(error, rowErrors(problem, exact, value, head).relative);
    return { error, cost: value.trace.pairs / value.trace.exactPairs };
  };
  const trials: TuneTrial[] = [];
  const exact = await drawn('tune');
  const attempt = async (options: TuneTrial['options']): Promise<TuneTrial> => {
    onProgress?.({ phase: 'tuning', done: trials.length, total: Math.max(12, trials.length + 1) });
    const [first, second] = [await measure(options, exact, 0), await measure(options, exact, 1)];
    const trial = { options, relativeError: Math.max(first.error, second.error), cost: first.cost };
    trials.push(trial);
    return trial;
  };
  // Where nothing is causal n₀ would only switch all approximation off.
  const leaf = (size: number) =>
    problem.causal ? Math.max(64, Math.min(4096, queryRows >> 3), 2 * size) : 1;
  let found: TuneTrial | undefined;
  for (let size = 32; 4 * size <= queryRows && !found; size *= 2) {
    const trial = await attempt({
      blockSize: size,
      sampleSize: size,
      minSequence: leaf(size),
      hashBits: 'auto',
    });
    if (trial.relativeError <= target) found = trial;
  }
  if (found) {
    const { blockSize, sampleSize, minSequence } = found.options;
    for (const change of [
      { sampleSize: sampleSize / 2 },
      { blockSize: blockSize / 2 },
      ...(problem.causal ? [{ minSequence: Math.max(1, minSequence >> 2) }] : []),
      { hashBits: 7 },
    ]) {
      const trial = await attempt({ ...found.options, ...change });
      if (trial.relativeError <= target && trial.cost <= found.cost) found = trial;
    }
  }
  const best = found && found.cost < 1 ? found : undefined;
  const freshError = best && (await measure(best.options, await drawn('fresh rows'), 2)).error;
  return { best, freshError, trials };
}
