// The parameters of HyperAttention, their defaults and domains.

import { requireInteger, requireOneOf, requireProbability, requireSeed } from '../core/check.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import type { RunOptions } from '../core/progress.ts';
import { MOST_HASH_BITS } from './angular-hash.ts';
import type { BlockRule, BucketOrder, ResidualSampling } from './types.ts';

export interface HyperOptions extends RunOptions {
  /** Keys of a block, b ≥ 1. Default 256. */
  blockSize?: number;
  /** Residual keys sampled per query head, m ≥ 0; 0: blocks only. Default 256. */
  sampleSize?: number;
  /** Bits of the hash, r in [1, 16]; 'auto': 2^r ≈ 8 n/b of the n keys that a block is one of, 4 n/b for blocks other than 'hash-aligned'. Default 'auto'; the paper's code has 7. */
  hashBits?: number | 'auto';
  /** Sequences (causal: up to this long; else: of fewer queries) are done exactly, n₀ ≥ 1. The main knob of causal attention. Default 4096. */
  minSequence?: number;
  /** Default 'hash-aligned', the only rule that never lets a later query move an earlier row. */
  blocks?: BlockRule;
  /** Default 'gray'. */
  bucketOrder?: BucketOrder;
  /** Default 'uniform' (with replacement, as in the paper). */
  sampling?: ResidualSampling;
  /** First keys of the sequence, always exact. Default 0. */
  sinks?: number;
  /** Causal only: the last keys before each off-diagonal block of queries, exact for all of it. Default 0. */
  window?: number;
  /** Estimate how far each row is off, from its own samples; with stratified ones from above. Default: only where `fallback` needs it. */
  errorBars?: boolean;
  /**
   * Rows whose estimated error is above this share of the root mean square ‖o‖ of their head are done exactly, > 0. As that mean is over the whole head,
   * causality is strict only without it. Default Infinity: none.
   */
  fallback?: number;
  /** Query rows per head whose exact answer is computed for the certificate; 0: none, and the bound is vacuous. Default 64. */
  certifyRows?: number;
  /** Probability that the certificate's bound may fail. Default 0.05. */
  failureProbability?: number;
  /** Default 0. */
  seed?: number;
}

/** The same with every default filled in. */
export type HyperSettings = Required<Omit<HyperOptions, keyof RunOptions>>;

const BLOCK_RULES = ['hash-aligned', 'rank', 'smooth', 'none'] as const satisfies BlockRule[];
const BUCKET_ORDERS = ['gray', 'gray-forward', 'binary', 'random'] as const satisfies BucketOrder[];
const SAMPLINGS = ['uniform', 'without-replacement', 'stratified'] as const satisfies ResidualSampling[];

/** @throws {InvalidArgumentError} an option leaves its domain */
export function completeOptions(name: string, options: HyperOptions, causal: boolean): HyperSettings {
  const settings: HyperSettings = {
    blockSize: options.blockSize ?? 256,
    sampleSize: options.sampleSize ?? 256,
    hashBits: options.hashBits ?? 'auto',
    minSequence: options.minSequence ?? 4096,
    blocks: options.blocks ?? 'hash-aligned',
    bucketOrder: options.bucketOrder ?? 'gray',
    sampling: options.sampling ?? 'uniform',
    sinks: options.sinks ?? 0,
    window: options.window ?? 0,
    fallback: options.fallback ?? Infinity,
    errorBars: options.errorBars ?? (options.fallback ?? Infinity) < Infinity,
    certifyRows: options.certifyRows ?? 64,
    failureProbability: options.failureProbability ?? 0.05,
    seed: options.seed ?? 0,
  };
  requireInteger(`${name}: blockSize`, settings.blockSize, 1);
  requireInteger(`${name}: sampleSize`, settings.sampleSize, 0);
  if (settings.hashBits !== 'auto') requireInteger(`${name}: hashBits`, settings.hashBits, 1, MOST_HASH_BITS);
  requireInteger(`${name}: minSequence`, settings.minSequence, 1);
  requireOneOf(`${name}: blocks`, settings.blocks, BLOCK_RULES);
  requireOneOf(`${name}: bucketOrder`, settings.bucketOrder, BUCKET_ORDERS);
  requireOneOf(`${name}: sampling`, settings.sampling, SAMPLINGS);
  requireInteger(`${name}: sinks`, settings.sinks, 0);
  requireInteger(`${name}: window`, settings.window, 0);
  if (!(settings.fallback > 0)) {
    throw new InvalidArgumentError(`${name}: fallback is ${settings.fallback}; expected a number > 0.`);
  }
  requireInteger(`${name}: certifyRows`, settings.certifyRows, 0);
  requireProbability(`${name}: failureProbability`, settings.failureProbability);
  requireSeed(`${name}: seed`, settings.seed);
  if (settings.window > 0 && !causal) {
    throw new InvalidArgumentError(
      `${name}: window is ${settings.window} without causal; expected 0. A window is the keys just before a block of queries.`,
    );
  }
  if (settings.blocks === 'none' && settings.sampleSize === 0) {
    throw new InvalidArgumentError(
      `${name}: blocks is "none" and sampleSize 0; expected one of them to give keys. Raise sampleSize.`,
    );
  }
  return settings;
}
