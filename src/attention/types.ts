// What attention takes and gives: tensors of heads, and results that keep the log-sum-exp of every row.

import type { AttentionTiles, FloatStorage } from '../kernels/index.ts';

/** A row-major tensor of shape (batch, heads, rows, cols). */
export interface HeadTensor {
  data: Float32Array;
  batch: number;
  heads: number;
  rows: number;
  cols: number;
}

/** Keys or values, which may be stored in half precision (sums stay float32). */
export interface StoredHeadTensor extends Omit<HeadTensor, 'data'> {
  data: Float32Array | Uint16Array;
  /** Default 'float32'. The bits of halves lie in a Uint16Array. */
  storage?: FloatStorage;
}

/** One call of attention. */
export interface AttentionInput {
  /** Shape (batch, heads, n_q, d). */
  queries: HeadTensor;
  /** Shape (batch, key heads, n_k, d); heads is a multiple of key heads (grouped-query attention). */
  keys: StoredHeadTensor;
  /** Shape (batch, key heads, n_k, d_v). */
  values: StoredHeadTensor;
  /** Multiplies ⟨q, k⟩. Default d^(−1/2). */
  scale?: number;
  /** Query i sees keys j ≤ i. Needs n_q = n_k. Default false. */
  causal?: boolean;
  /** 0 where a key is padding, shape (batch, n_k). Default: all keys live. */
  keyMask?: Uint8Array;
  /** Added to the logits, shape (1 or heads, n_q, n_k), the same for every batch entry. */
  bias?: Float32Array;
  /** ALiBi: adds slopes[h] · (j − i), shape (heads,). */
  slopes?: Float32Array;
}

export interface AttentionResult {
  /** O, shape (batch, heads, n_q, d_v); a row that sees no key is 0. */
  output: HeadTensor;
  /** lse_i = ln Σ_j e^{s_ij}, natural logarithm, shape (batch, heads, n_q); −∞ for a row that sees no key. */
  lse: Float64Array;
  /** Kernels that computed it: "native avx512". */
  backend: string;
}

/** How HyperAttention forms its blocks of heavy entries (spec of arXiv 2310.05869 §3, and beyond). */
export type BlockRule =
  /** Each query takes the key block around the keys of its own hash rank: strictly causal, any row counts. */
  | 'hash-aligned'
  /** The paper's Algorithm 1: queries and keys both sorted by rank and cut into equally many blocks. */
  | 'rank'
  /** As `rank`, but each tile of 128 queries sees a window of keys centred on its own position. */
  | 'smooth'
  /** No blocks: samples only. */
  | 'none';

/** The order in which hash buckets lie beside each other. */
export type BucketOrder = 'gray' | 'gray-forward' | 'binary' | 'random';

/** How residual keys are sampled. */
export type ResidualSampling = 'uniform' | 'without-replacement' | 'stratified';

/** What HyperAttention computed besides the result, enough to run it backward and to report on it. */
export interface HyperTrace {
  /** The sparse plans whose results were merged; together they name every (query, key) pair computed. Empty: exact attention was run. */
  plans: AttentionTiles[];
  /** (query, key) pairs computed, over all heads. */
  pairs: number;
  /** Pairs that exact attention computes. */
  exactPairs: number;
}
