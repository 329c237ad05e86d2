// The tasks of a language model's layers: products with stored weights and the small steps between them. All arrays are row-major
// without gaps. Other shapes and the errors: native/kernels.h.

import type { DecodeTask } from './attention-types.ts';
import type { WeightFormat } from './weight-formats.ts';

/** Rows of weights as a model file stores them. */
export interface StoredRows {
  format: WeightFormat;
  /** Rows of blocks one after another, at an address that its numbers are aligned to: a multiple of 4 bytes for F32, else of 2. */
  data: Uint8Array;
}

/** One of several weights that meet the same rows. */
export interface LinearWeight extends StoredRows {
  /** Rows of W, columns of y. */
  outputs: number;
  /** Added to every row of y, shape (outputs,). */
  bias?: Float32Array | undefined;
  /** Receives x Wᵀ, shape (rows, outputs). */
  y: Float32Array;
  /**
   * To whom `data` belongs, as the model. It promises that the bytes stay as they are while it lives, so that a backend may keep a copy of
   * them for it: WASM does, in memory that goes with the owner. Default: nobody; `data` is read at each call.
   */
  owner?: object | undefined;
  /** Add to what y holds instead of overwriting it. Default false. */
  accumulate?: boolean | undefined;
}

/**
 * y = x Wᵀ for each weight, shape (outputs, cols).
 *
 * 'float32': weights as exactly as `dequantiseRows` gives them, products and sums in float32; an entry is off by at most
 * (cols + 4) · 2⁻²⁴ Σ|x w|, and by two roundings of sums with bias and y.
 *
 * 'int8': where weights come in blocks of 32 or 256, every 32 entries of a row may be rounded to multiples of b / 127, b the largest size
 * among them, so that products are of bytes. That moves an entry by at most (1 + 2⁻¹⁴) Σ over the 32s of b / 254 · Σ|w| (derived: rounding
 * moves an entry of x by at most half a step), or 2⁻¹⁰⁰ Σ|w| where b < 2⁻¹⁰⁰; sums are off by (cols / 16 + 8) · 2⁻²⁴ Σ|x| (|scale · code| + |min|)
 * besides. A row that holds NaN or ±∞ gives NaN throughout. Backends without products of bytes to gain from use float32.
 */
export interface LinearTask {
  /** Shape (rows, cols). */
  x: Float32Array;
  rows: number;
  /** A multiple of every weight's block. */
  cols: number;
  weights: readonly LinearWeight[];
  /** Default 'int8'. */
  activations?: 'float32' | 'int8' | undefined;
}

/** out[i] = row rows[i] of a stored matrix as float32: the same bits from every backend. */
export interface DequantiseRowsTask extends StoredRows {
  /** Rows stored. */
  storedRows: number;
  cols: number;
  /** Each < storedRows; shape (count,). */
  rows: Uint32Array;
  /** Shape (count, cols). */
  out: Float32Array;
}

/** out = x / √(mean of x² + epsilon) · weight for each row; within 4 · 2⁻²⁴ relative. A norm of heads has a row for each head. */
export interface RmsNormTask {
  /** Shape (rows, cols). */
  x: Float32Array;
  rows: number;
  cols: number;
  /** Shape (cols,). Default: ones. */
  weight?: Float32Array | undefined;
  /** Added to the mean, ≥ 0. */
  epsilon: number;
  /** Shape of x; may be x. */
  out: Float32Array;
}

/** Which entries of a head make a pair: 2i and 2i + 1, or i and i + pairs. */
export type RotaryPairing = 'interleaved' | 'halves';

/** Turns each pair (a, b) of x in place to (a cos − b sin, b cos + a sin); entries of a head beyond 2 · pairs stay. */
export interface RotaryTask {
  /** Shape (rows, heads, dim). */
  x: Float32Array;
  rows: number;
  heads: number;
  dim: number;
  /** Pairs turned in every head, ≤ dim / 2. */
  pairs: number;
  pairing: RotaryPairing;
  /** Of the angle of each row and pair, shape (rows, pairs); see `rotaryTable`. */
  cos: Float32Array;
  sin: Float32Array;
}

/** out = silu(gate) · up = gate / (1 + e^−gate) · up, within 6 · 2⁻²⁴ relative. */
export interface SiluProductTask {
  gate: Float32Array;
  /** Shape of gate. */
  up: Float32Array;
  /** Shape of gate; may be gate or up. */
  out: Float32Array;
}

/** out += x. */
export interface AddTask {
  x: Float32Array;
  /** Shape of x. */
  out: Float32Array;
}

/** What each kernel that can be a step takes. */
export interface StepTasks {
  linear: LinearTask;
  dequantiseRows: DequantiseRowsTask;
  rmsNorm: RmsNormTask;
  rotary: RotaryTask;
  siluProduct: SiluProductTask;
  add: AddTask;
  decode: DecodeTask;
}

export type KernelStep = {
  [Name in keyof StepTasks]: { kernel: Name; task: StepTasks[Name] };
}[keyof StepTasks];

/**
 * Steps that were checked once and run many times. What arrays hold is read at each run, but for weights with an owner; the arrays must
 * stay the same.
 */
export interface PreparedSteps {
  /**
   * Runs the steps in order.
   *
   * @throws {ShapeError} an array has been transferred or made shorter
   * @throws {InvalidArgumentError} an entry of `rows` or `lengths` is beyond what is stored
   */
  run(): Promise<void>;
}

export interface LlmKernels {
  /** O(rows · cols · outputs); one row is memory-bound. Bit-equal for any number of threads. */
  linear(task: LinearTask): Promise<void>;
  /** O(rows.length · cols). */
  dequantiseRows(task: DequantiseRowsTask): Promise<void>;
  /** O(rows · cols). Sums in float64. */
  rmsNorm(task: RmsNormTask): Promise<void>;
  /** O(rows · heads · pairs). */
  rotary(task: RotaryTask): Promise<void>;
  /** O(n). */
  siluProduct(task: SiluProductTask): Promise<void>;
  /** O(n). */
  add(task: AddTask): Promise<void>;
  /**
   * Checks steps once, for running them many times in one call each: the cost of a call, about 3 µs, is that of many steps. Those that take
   * less than a millisecond run on the caller's thread.
   */
  prepare(steps: readonly KernelStep[]): PreparedSteps;
}
