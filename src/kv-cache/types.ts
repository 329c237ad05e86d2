// The one interface of all caches: a sequence's keys and values in one layer, all key heads, kept within a budget.

import type { RunOptions } from '../core/progress.ts';
import type { KeyValueStorage } from '../kernels/index.ts';

/** Sizes of one attention layer. */
export interface CacheShape {
  /** Query heads, a multiple of keyHeads. */
  heads: number;
  keyHeads: number;
  /** Of queries and keys. */
  dim: number;
  valueDim: number;
  /** Multiplies ⟨q, k⟩. Default dim^(−1/2). */
  scale?: number;
  /** Default 'float32'. */
  storage?: KeyValueStorage;
}

export type CachePolicy =
  | 'full'
  | 'sink-window'
  | 'uniform'
  | 'h2o'
  | 'snapkv'
  | 'keydiff'
  | 'k-center'
  | 'subgen'
  | 'hybrid'
  | 'balance';

/** What a query got from a cache. */
export interface CacheAttention {
  /** O, shape (heads, valueDim). */
  output: Float32Array;
  /** ln of the estimated Σ e^{s}, shape (heads,). */
  lse: Float64Array;
  /** What is certain of the exact answer, when asked for and the policy knows; else undefined. */
  interval?: CacheInterval | undefined;
}

/** What many tokens' queries got from a cache, head after head as the attention kernels have them. */
export interface CacheAnswers {
  /** O, shape (heads, count, valueDim). */
  output: Float32Array;
  /** ln of the estimated Σ e^{s}, shape (heads, count). */
  lse: Float64Array;
}

/** Deterministic bounds on what exact attention over all tokens absorbed would give (Cauchy–Schwarz on cluster radii). */
export interface CacheInterval {
  /** Exact lse of each head lies in [lseLow, lseHigh], shape (heads,). */
  lseLow: Float64Array;
  lseHigh: Float64Array;
  /** ‖output − exact output‖₂ ≤ this, shape (heads,); Infinity where the cache cannot tell. */
  outputError: Float64Array;
}

/** Bytes held, by purpose; the sum of the typed arrays, exactly. */
export interface CacheBytes {
  keys: number;
  values: number;
  /** Log-weights, counts, radii, scores, positions, generator state. */
  bookkeeping: number;
  total: number;
}

/** A token that a head keeps, or a representative of several. */
export interface KeptToken {
  /** Position of the token (of the representative) in the stream, from 0. */
  position: number;
  /** Tokens it stands for, itself included. */
  count: number;
  role: 'sink' | 'recent' | 'selected' | 'center' | 'sample';
}

export interface AppendOptions extends RunOptions {
  /**
   * Queries of the appended tokens, or of the last of them, shape (≤ count, heads, dim). Policies that score by attention need them: h2o all, snapkv
   * those of the last `observe` tokens of a first append beyond its budget.
   */
  queries?: Float32Array;
  // The signal is looked at, and progress told, every few hundred tokens of a long append; when it is aborted, those before are absorbed, the rest not.
}

/**
 * A sequence's cache in one layer. Tokens go in once, in order; a query sees all tokens so far. No other call on a cache may
 * overlap an append to it; queries may overlap each other, and calls on forks any others.
 */
export interface KeyValueCache {
  readonly policy: CachePolicy;
  readonly shape: Required<CacheShape>;
  /** Tokens absorbed so far. */
  readonly tokens: number;
  /**
   * Absorbs `count` tokens. Refuses before touching anything: NaN, infinity, and what would become infinity in the storage.
   *
   * @param keys - shape (count, keyHeads, dim)
   * @param values - shape (count, keyHeads, valueDim)
   */
  append(keys: Float32Array, values: Float32Array, options?: AppendOptions): Promise<void>;
  /** @param queries - shape (heads, dim), of one token */
  attend(queries: Float32Array, options?: { interval?: boolean }): Promise<CacheAttention>;
  /**
   * What `attend` gives, to rounding, for the queries of many tokens: at the speed of a prefill where that is of a decode each.
   *
   * @param queries - shape (heads, count, dim)
   */
  attendMany(queries: Float32Array, count: number): Promise<CacheAnswers>;
  /** Bytes of this cache's state now. */
  bytes(): CacheBytes;
  /** The tokens a key head keeps, by position. */
  kept(keyHead: number): KeptToken[];
  /** An independent cache with the same content; memory is shared until one of them writes. */
  fork(): KeyValueCache;
  /** Everything needed to go on as if never stopped, generator included: `restoreCache` reads it. */
  save(): Uint8Array;
}
