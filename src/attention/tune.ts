// The cheapest parameters for a wanted error.

import { requireInteger, requirePositive, requireSeed } from '../core/check.ts';
import type { RunOptions } from '../core/progress.ts';
import { createRng } from '../core/rng.ts';
import { loadKernels } from '../kernels/index.ts';
import { hyperAttention } from './hyper.ts';
import type { HyperOptions } from './options.ts';
import { checkProblem } from './problem.ts';
import { exactRows, rowErrors } from './row-sample.ts';
import type { AttentionInput } from './types.ts';

export interface TuneOptions extends RunOptions {
  /** Relative error wanted, √(Σ‖õ − o‖² / Σ‖o‖²) on the rows of the worst head, > 0. */
  target: number;
  /** Query rows per head done exactly, ≥ 1. Default 64. */
  rows?: number;
  /** Default 0. */
  seed?: number;
}

/** One setting that was tried. */
export interface TuneTrial {
  options: Required<Pick<HyperOptions, 'blockSize' | 'sampleSize' | 'minSequence' | 'hashBits'>>;
  relativeError: number;
  /** (query, key) pairs, as a share of those of exact attention. */
  cost: number;
}

export interface TuneResult {
  /** The cheapest trial that met the target; undefined: none did, use exact attention. */
  best: TuneTrial | undefined;
  /** In the order they were made. */
  trials: TuneTrial[];
}

/**
 * Finds block size, sample size, n₀ and hash bits that reach a wanted error at least cost: doubles b = m from 32 on until the target is met, then tries the
 * cheaper neighbours (half the samples, half the block, smaller n₀, other bits).
 *
 * @throws {InvalidArgumentError} an option leaves its domain, or as `hyperAttention`
 *
 * Time: about a dozen HyperAttentions and `rows` exact rows.
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
  const exact = await exactRows(problem, rows, createRng(seed).fork('tune'), kernels);
  const { queryRows, heads } = problem.logits;
  const trials: TuneTrial[] = [];
  const attempt = async (options: TuneTrial['options']): Promise<TuneTrial> => {
    signal?.throwIfAborted();
    onProgress?.({ phase: 'tuning', done: trials.length, total: Math.max(12, trials.length + 1) });
    const { value } = await hyperAttention(input, { ...options, seed, signal, certifyRows: 0 });
    let relativeError = 0;
    for (let head = 0; head < heads; head++)
      relativeError = Math.max(relativeError, rowErrors(problem, exact, value, head).relative);
    const trial = { options, relativeError, cost: value.trace.pairs / value.trace.exactPairs };
    trials.push(trial);
    return trial;
  };
  const smallest = Math.max(64, Math.min(4096, queryRows >> 3));
  let found: TuneTrial | undefined;
  for (let size = 32; 4 * size <= queryRows && !found; size *= 2) {
    const trial = await attempt({
      blockSize: size,
      sampleSize: size,
      minSequence: Math.max(smallest, 2 * size),
      hashBits: 'auto',
    });
    if (trial.relativeError <= target) found = trial;
  }
  if (found) {
    const { blockSize, sampleSize, minSequence } = found.options;
    for (const change of [
      { sampleSize: sampleSize / 2 },
      { blockSize: blockSize / 2 },
      { minSequence: Math.max(1, minSequence >> 2) },
      { hashBits: 7 as const },
    ]) {
      const trial = await attempt({ ...found.options, ...change });
      if (trial.relativeError <= target && trial.cost <= found.cost) found = trial;
    }
  }
  return { best: found && found.cost < 1 ? found : undefined, trials };
}
