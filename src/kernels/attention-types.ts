// The attention kernels' tasks: what every backend computes, with which shapes. All arrays are row-major without gaps.
// Logits are scale · ⟨q, k⟩ plus whatever is added to them; natural logarithms throughout.

import type { FloatStorage, KeyValueStorage, StoredArray } from './row-format.ts';

/** What forward and backward passes share: which logits there are. */
export interface AttentionLogits {
  /** Shape (heads, queryRows, dim). */
  queries: Float32Array;
  /** Shape (keyHeads, keyRows, dim), of `storage`. */
  keys: Float32Array | Uint16Array;
  /** Shape (keyHeads, keyRows, valueDim), of `storage`. */
  values: Float32Array | Uint16Array;
  /** Default 'float32'. */
  storage?: FloatStorage;
  /** Query heads, all sequences of a batch counted; a multiple of keyHeads. Query head h reads key head ⌊h · keyHeads / heads⌋. */
  heads: number;
  keyHeads: number;
  queryRows: number;
  keyRows: number;
  dim: number;
  valueDim: number;
  /** Multiplies ⟨q, k⟩, once. */
  scale: number;
  /** Added to the logits of a key, shape (keyHeads, keyRows); −∞ hides the key, as padding needs it. Default: zeros. */
  keyLogWeights?: Float32Array | undefined;
  /** Query i sees key j only where j ≤ i + causalOffset. Default: sees all. */
  causalOffset?: number | undefined;
  /** Added to the logits, shape (1 or heads, queryRows, keyRows). */
  bias?: Float32Array | undefined;
  /** ALiBi: adds slopes[h] · (j − i − (causalOffset ?? 0)), shape (heads,). */
  slopes?: Float32Array | undefined;
  /** Which queries meet which keys. Default: every query every key of its head. */
  tiles?: AttentionTiles | undefined;
}

/**
 * A sparse plan: each tile lets some query rows of one head meet lists of keys. A query row is in at most one tile of
 * its head; rows in no tile get no keys (O = 0, lse = −∞). Keys met twice count twice.
 */
export interface AttentionTiles {
  /** Query head of each tile, shape (tiles,). */
  heads: Uint32Array;
  /** Tile t has the query rows `rows[rowStart[t]] … rows[rowStart[t + 1] − 1]`; shape (tiles + 1,). */
  rowStart: Uint32Array;
  /** Query rows within their head. */
  rows: Uint32Array;
  /** Tile t has the segments segmentStart[t] … segmentStart[t + 1] − 1; shape (tiles + 1,). */
  segmentStart: Uint32Array;
  /** Segment s has the keys `keys[keyStart[s]] … keys[keyEnd[s] − 1]`, shape (segments,); segments may overlap. */
  keyStart: Uint32Array;
  keyEnd: Uint32Array;
  /** Added to the logits of all keys of a segment: 0 for exact keys, ln(n / m) for samples; shape (segments,). */
  logWeights: Float32Array;
  /** Key rows within their head. */
  keys: Uint32Array;
}

/**
 * O_i = Σ_j e^{s_ij − lse_i} v_j and lse_i = ln Σ_j e^{s_ij} over the keys j that query i sees, by online softmax over key blocks.
 * A query that sees no key has O = 0 and lse = −∞. NaN goes into the rows it belongs to and no others.
 */
export interface AttentionTask extends AttentionLogits {
  /** Receives O, shape (heads, queryRows, valueDim). */
  out: Float32Array;
  /** Receives lse, shape (heads, queryRows). */
  lse: Float64Array;
  /** Combine with what `out` and `lse` hold, as the result over a disjoint list of keys, instead of overwriting. Default false. */
  merge?: boolean | undefined;
}

/**
 * Gradients of a loss in the inputs, given those in O and lse: with p_ij = e^{s_ij − lse_i} and δ_i = ⟨dO_i, O_i⟩,
 * dS_ij = p_ij (⟨dO_i, v_j⟩ − δ_i + dlse_i), dQ_i = scale Σ_j dS_ij k_j, dK_j = scale Σ_i dS_ij q_i, dV_j = Σ_i p_ij dO_i.
 * `storage` must be 'float32'. `out` and `lse` are those of the whole result, also where the task holds one of several plans. Rows that
 * causal masks or a bias hide must be finite, unlike those that −∞ as log-weight hides, which are not read.
 */
export interface AttentionBackwardTask extends AttentionLogits {
  keys: Float32Array;
  values: Float32Array;
  /** O, shape (heads, queryRows, valueDim). */
  out: Float32Array;
  /** Shape (heads, queryRows). */
  lse: Float64Array;
  /** dO, shape (heads, queryRows, valueDim). */
  outGradient: Float32Array;
  /** dlse, shape (heads, queryRows). Default: zeros. */
  lseGradient?: Float64Array | undefined;
  /** Receive the gradients, shapes of their inputs. Added to when `accumulate`. */
  queryGradient: Float32Array;
  keyGradient: Float32Array;
  valueGradient: Float32Array;
  /** Add to the gradients instead of overwriting them. Default false. */
  accumulate?: boolean | undefined;
}

/**
 * Attention of one query per head over a cache: each key head keeps `lengths[g]` rows in a slab of `capacity` rows, read once
 * for all query heads of its group. Rows in use must be finite, hidden ones too; rows beyond are not read.
 */
export interface DecodeTask {
  /** Shape (heads, dim). */
  queries: Float32Array;
  /** Shape (keyHeads, capacity, dim), as `rowFormat` of the storage has rows. */
  keys: StoredArray;
  /** Shape (keyHeads, capacity, valueDim), likewise. */
  values: StoredArray;
  /** Default 'float32'. */
  storage?: KeyValueStorage;
  heads: number;
  keyHeads: number;
  capacity: number;
  /** Rows in use of each key head, ≤ capacity, shape (keyHeads,). */
  lengths: Uint32Array;
  dim: number;
  valueDim: number;
  scale: number;
  /** Added to the logits of a row, shape (keyHeads, capacity); −∞ hides it. Default: zeros. */
  logWeights?: Float32Array | undefined;
  /** Receives O, shape (heads, valueDim). */
  out: Float32Array;
  /** Receives lse, shape (heads,). */
  lse: Float64Array;
  /** Receives e^{s − lse} of every row in use, shape (heads, capacity); the rest is left alone. */
  probabilities?: Float32Array | undefined;
}

/** y = eˣ, entry by entry; within 2 units in the last place, subnormal results flushed to 0. May be done in place. */
export interface ExpTask {
  x: Float32Array;
  /** Shape of x. */
  out: Float32Array;
}

export interface AttentionKernels {
  /** O(pairs · (dim + valueDim)): pairs of queries and keys that meet. Error of a logit ≤ (dim + 3) · 2⁻²⁴ · scale · Σ|q k|. */
  attention(task: AttentionTask): Promise<void>;
  /** O(pairs · (dim + valueDim)), about 2.5 times the forward pass. Bit-equal for any number of threads. */
  attentionBackward(task: AttentionBackwardTask): Promise<void>;
  /** O(Σ lengths · heads / keyHeads · (dim + valueDim)); memory-bound. Bit-equal for any number of threads. */
  decode(task: DecodeTask): Promise<void>;
  /** O(n). */
  exp(task: ExpTask): Promise<void>;
}
