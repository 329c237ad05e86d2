// An attention call, checked once and laid out for the kernels: batch entries folded into heads.

import { requireInteger, requireNumber } from '../core/check.ts';
import { InvalidArgumentError, ShapeError } from '../core/errors.ts';
import { type AttentionLogits, fromHalf, type Kernels } from '../kernels/index.ts';
import { requireFiniteInput } from './finite-input.ts';
import type { AttentionInput, AttentionResult, HeadTensor, StoredHeadTensor } from './types.ts';

/** What every part of this folder works on. */
export interface Problem {
  /** Batch entries and heads of the call, for shaping the result. */
  batch: number;
  headsPerBatch: number;
  /** All the kernels need but the plan; heads are batch · heads. */
  logits: AttentionLogits;
  causal: boolean;
  /** 1 where a key of a batch entry is live, shape (batch, n_k); undefined: all are. */
  keyMask: Uint8Array | undefined;
}

/**
 * @param name - of the calling function, for messages
 * @throws {ShapeError} shapes that do not fit each other, or arrays of another length than their shape
 * @throws {InvalidArgumentError} an entry is NaN or infinite (named), a number leaves its range, logits may leave that of float32
 */
export async function checkProblem(name: string, input: AttentionInput, kernels: Kernels): Promise<Problem> {
  const { queries, keys, values, causal = false, keyMask, bias, slopes } = input;
  requireTensor(`${name}: queries`, queries);
  requireTensor(`${name}: keys`, keys);
  requireTensor(`${name}: values`, values);
  requireEqual(name, 'keys.batch', keys.batch, 'queries.batch', queries.batch);
  requireEqual(name, 'values.batch', values.batch, 'keys.batch', keys.batch);
  requireEqual(name, 'keys.cols', keys.cols, 'queries.cols', queries.cols);
  requireEqual(name, 'values.heads', values.heads, 'keys.heads', keys.heads);
  requireEqual(name, 'values.rows', values.rows, 'keys.rows', keys.rows);
  if (queries.heads % keys.heads !== 0) {
    throw new ShapeError(
      `${name}: queries have ${queries.heads} heads, keys ${keys.heads}; expected a multiple. Repeat or drop heads.`,
    );
  }
  if (keys.storage !== values.storage) {
    throw new InvalidArgumentError(
      `${name}: keys are stored as ${keys.storage}, values as ${values.storage}; expected the same.`,
    );
  }
  if (causal && queries.rows !== keys.rows) {
    throw new ShapeError(
      `${name}: ${queries.rows} queries and ${keys.rows} keys; expected equally many where causal is true. Pad or drop rows.`,
    );
  }
  const scale = input.scale ?? 1 / Math.sqrt(queries.cols);
  requireNumber(`${name}: scale`, scale);
  const { batch, heads } = queries;
  if (keyMask) requireLengthOf(name, 'keyMask', keyMask.length, [batch * keys.rows]);
  if (slopes) requireLengthOf(name, 'slopes', slopes.length, [heads]);
  if (bias) {
    const one = queries.rows * keys.rows;
    requireLengthOf(name, 'bias', bias.length, [one, heads * one]);
  }
  await requireFiniteInput(name, input, scale, kernels);
  return {
    batch,
    headsPerBatch: heads,
    causal,
    keyMask,
    logits: {
      queries: queries.data,
      keys: keys.data,
      values: values.data,
      storage: keys.storage ?? 'float32',
      heads: batch * heads,
      keyHeads: batch * keys.heads,
      queryRows: queries.rows,
      keyRows: keys.rows,
      dim: queries.cols,
      valueDim: values.cols,
      scale,
      keyLogWeights: keyMask && maskWeights(keyMask, batch, keys.heads, keys.rows),
      causalOffset: causal ? 0 : undefined,
      bias: bias && bias.length > queries.rows * keys.rows ? repeated(bias, batch) : bias,
      slopes: slopes && repeated(slopes, batch),
    },
  };
}

/** Room for the result of a problem. */
export function emptyResult(
  { batch, headsPerBatch, logits }: Problem,
  { backend, simd }: Kernels,
): AttentionResult {
  const { heads, queryRows, valueDim } = logits;
  return {
    output: {
      data: new Float32Array(heads * queryRows * valueDim),
      batch,
      heads: headsPerBatch,
      rows: queryRows,
      cols: valueDim,
    },
    lse: new Float64Array(heads * queryRows).fill(-Infinity),
    backend: `${backend} ${simd}`,
  };
}

/** The mask of a key head's keys, shape (n_k,), as a view; undefined: all are live. */
export function liveKeys({ keyMask, batch, logits }: Problem, keyHead: number): Uint8Array | undefined {
  const { keyHeads, keyRows } = logits;
  const entry = Math.floor((keyHead * batch) / keyHeads);
  return keyMask?.subarray(entry * keyRows, (entry + 1) * keyRows);
}

/** Keys that are not masked. */
export function countLive(mask: Uint8Array): number {
  return mask.reduce((count, live) => count + Number(live !== 0), 0);
}

/** Rows of one head of a stored tensor as float32, shape (rows, cols): a view where nothing has to be converted. */
export function headRows(
  { data, storage = 'float32' }: { data: Float32Array | Uint16Array; storage?: AttentionLogits['storage'] },
  head: number,
  rows: number,
  cols: number,
): Float32Array {
  const part = data.subarray(head * rows * cols, (head + 1) * rows * cols);
  return storage === 'float32' ? (part as Float32Array) : fromHalf(part as Uint16Array, storage);
}

function requireTensor(
  name: string,
  { data, batch, heads, rows, cols, storage = 'float32' }: StoredHeadTensor,
): void {
  requireInteger(`${name}.batch`, batch, 1);
  requireInteger(`${name}.heads`, heads, 1);
  requireInteger(`${name}.rows`, rows, 0);
  requireInteger(`${name}.cols`, cols, 1);
  const length = batch * heads * rows * cols;
  if (data.length !== length) {
    throw new ShapeError(
      `${name}: data has ${data.length} entries; expected batch × heads × rows × cols = ${batch} × ${heads} × ${rows} × ${cols} = ${length}.`,
    );
  }
  if ((storage === 'float32') !== data instanceof Float32Array) {
    throw new InvalidArgumentError(
      `${name}: data is ${data.constructor.name} and storage "${storage}"; expected Float32Array for float32, Uint16Array for halves.`,
    );
  }
}

function requireEqual(name: string, a: string, aValue: number, b: string, bValue: number): void {
  if (aValue !== bValue) {
    throw new ShapeError(`${name}: ${a} is ${aValue}; expected ${b} = ${bValue}. Pad, drop or reshape one.`);
  }
}

function requireLengthOf(name: string, what: string, length: number, allowed: number[]): void {
  if (!allowed.includes(length)) {
    throw new ShapeError(`${name}: ${what} has length ${length}; expected ${allowed.join(' or ')}.`);
  }
}

function maskWeights(mask: Uint8Array, batch: number, heads: number, rows: number): Float32Array {
  const weights = new Float32Array(batch * heads * rows);
  for (let b = 0; b < batch; b++)
    for (let h = 0; h < heads; h++)
      for (let j = 0; j < rows; j++)
        if (mask[b * rows + j] === 0) weights[(b * heads + h) * rows + j] = -Infinity;
  return weights;
}

function repeated(values: Float32Array, times: number): Float32Array {
  if (times === 1) return values;
  const all = new Float32Array(values.length * times);
  for (let i = 0; i < times; i++) all.set(values, i * values.length);
  return all;
}

/** Shapes a flat array as a tensor like `like`. */
export function tensorLike(
  data: Float32Array,
  { batch, heads, rows, cols }: Omit<HeadTensor, 'data'>,
): HeadTensor {
  return { data, batch, heads, rows, cols };
}
