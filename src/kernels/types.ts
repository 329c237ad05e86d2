// The tasks the kernels do. Every backend implements exactly these, with the same results within the stated tolerance.
// Lengths and types are checked once, at the door (door.ts), whatever the backend; arrays may be longer than their shape. Leave
// them alone until the promise settles: an array whose buffer is transferred meanwhile takes memory from under a thread.

import type { AttentionKernels } from './attention-types.ts';
import type { AuctionKernels } from './auction-types.ts';
import type { LlmKernels } from './llm-types.ts';
import type { MomentKernels } from './moments-types.ts';
import type { SliceKernels } from './slice-types.ts';

/** C = op(A) · op(B), or C += op(A) · op(B): float32 in and out, fused multiply-adds in float32. */
export interface GemmTask {
  /** Rows of op(A) and C. */
  m: number;
  /** Columns of op(B) and C. */
  n: number;
  /** Columns of op(A), rows of op(B). */
  k: number;
  /** A, shape (m, k) row-major, or (k, m) when `transposeA`. */
  a: Float32Array;
  /** B, shape (k, n) row-major, or (n, k) when `transposeB`. */
  b: Float32Array;
  /** C, shape (m, n) row-major; overwritten, or added to when `accumulate`. May not overlap A or B. */
  c: Float32Array;
  transposeA?: boolean;
  transposeB?: boolean;
  /** Entries between starts of consecutive stored rows. Default: the number of columns stored. */
  strideA?: number;
  strideB?: number;
  strideC?: number;
  /** Add to C instead of overwriting it. Default false. */
  accumulate?: boolean;
}

/**
 * For each point the nearest center in Euclidean distance; ties go to the lowest index.
 *
 * Labels are the argmin of the distances computed directly in float64 from the float32 inputs: a float32
 * expansion ‖x‖² − 2x·c + ‖c‖² may be used to find candidates, but where its rounding could change the winner the
 * candidates are compared directly. So every backend, SIMD level and thread count gives the same labels.
 */
export interface NearestTask {
  /** Points, shape (rows, dim) row-major. */
  points: Float32Array;
  rows: number;
  dim: number;
  /** Centers, shape (centerCount, dim) row-major, centerCount ≥ 1. */
  centers: Float32Array;
  centerCount: number;
  /** Vector (dim,) near the mean of the data, subtracted from both sides before expanding, so that a big common offset costs no digits. It changes the time taken, never the result. Default: the mean of (up to 256 of) the centers. */
  origin?: Float32Array;
  /** Receives the index of the nearest center, shape (rows,). */
  labels: Uint32Array;
  /** Receives the squared distance to it, recomputed directly in float64, shape (rows,). */
  distances: Float64Array;
  /** Receives the index of the second nearest center (labels again when centerCount = 1), shape (rows,). */
  secondLabels?: Uint32Array;
  /** Receives the squared distance to the second nearest center, recomputed directly (Infinity when centerCount = 1). */
  secondDistances?: Float64Array;
  /** Receives the number of rows that float32 was asked about and could not decide, as entry 0: what ties and near-ties cost. */
  rescanned?: BigUint64Array;
}

/** Adds each point to the sum of its label: sums[label] += weight · point, counts[label] += weight, in float64, rows in order: the same bits from every backend. */
export interface LabelSumsTask {
  /** Shape (rows, dim) row-major. */
  points: Float32Array;
  rows: number;
  dim: number;
  /** Shape (rows,), each < centerCount. */
  labels: Uint32Array;
  centerCount: number;
  /** Shape (rows,), ≥ 0. Default: ones. */
  weights?: Float64Array;
  /** Added to, shape (centerCount, dim). */
  sums: Float64Array;
  /** Added to, shape (centerCount,). */
  counts: Float64Array;
}

/** Squared Euclidean norm of each row minus `origin`, in float64. */
export interface RowNormsTask {
  /** Shape (rows, dim) row-major. */
  points: Float32Array;
  rows: number;
  dim: number;
  /** Subtracted first, shape (dim,). Default: zeros. */
  origin?: Float32Array;
  /** Receives the norms, shape (rows,). */
  norms: Float64Array;
}

/** XXH64 of one 8-byte little-endian integer per entry, with the seed of that entry: chain several by passing the last hashes as seeds. */
export interface HashTask {
  /** Values hashed, shape (n,), as two's complement 64-bit words. */
  values: BigUint64Array;
  /** One seed for all, or one per entry (n,). */
  seeds: bigint | BigUint64Array;
  /** Receives the hashes, shape (n,); may be the same array as `seeds`. */
  hashes: BigUint64Array;
}

/** Uniform numbers in [0, 1) of a Threefry stream: out[i] = Rng.at(start + i), bit for bit. */
export interface UniformTask {
  /** `Rng.key`. */
  key: readonly [number, number];
  /** Position of the first, 0 ≤ start < 2⁵³ − n. */
  start: number;
  /** Receives the numbers, shape (n,). */
  out: Float64Array;
}

export type Backend = 'native' | 'wasm' | 'ts';

/** One backend's implementation. All are async so that the heavy ones can run off the event loop. */
export interface Kernels extends AttentionKernels, AuctionKernels, LlmKernels, MomentKernels, SliceKernels {
  readonly backend: Backend;
  /** Instruction set in use: "avx512vnni", "avx512", "avx2", "neon", "baseline", "wasm-simd128", "scalar". */
  readonly simd: string;
  /** Threads the heavy kernels use. */
  readonly threads: number;
  /** O(m·n·k). Error of an entry ≤ k · 2⁻²⁴ · Σ|aᵢbᵢ| (1 + small). */
  gemm(task: GemmTask): Promise<void>;
  /** O(rows · centerCount · dim). */
  nearest(task: NearestTask): Promise<void>;
  /** O(rows · dim). */
  labelSums(task: LabelSumsTask): Promise<void>;
  /** O(rows · dim). */
  rowNorms(task: RowNormsTask): Promise<void>;
  /** O(n). */
  xxh64(task: HashTask): Promise<void>;
  /** O(n). */
  uniform(task: UniformTask): Promise<void>;
}
