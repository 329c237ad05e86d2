// Largest singular values: of tall matrices by their Gram matrix, of P by products with it that never form it.

import type { Kernels } from '../kernels/index.ts';
import { headRows, type Problem } from './problem.ts';
import { headRange } from './strips.ts';

/** Most power iterations; the quotient after each is a lower bound of the eigenvalue, and grows. */
const ITERATIONS = 200;

/**
 * ‖X‖_op from below: ‖Xv‖ / ‖v‖ in float64 with the v of a power iteration that went on until it gained less than 1e-9 a step.
 *
 * @param x - shape (rows, cols). Time O(rows · cols²). The Gram matrix of the iteration is summed in float32 blocks, which can only make v worse.
 */
export async function operatorNorm(
  x: Float32Array,
  rows: number,
  cols: number,
  kernels: Kernels,
): Promise<number> {
  if (rows === 0) return 0;
  const gram = await gramMatrix(x, rows, cols, kernels);
  // A column of the Gram matrix is 0 only where all of it is; beside it a fixed vector, lest the column be orthogonal to the top.
  let start = 0;
  for (let i = 1; i < cols; i++) if (gram[i * cols + i] > gram[start * cols + start]) start = i;
  const unit = gram[start * cols + start];
  if (unit === 0) return 0;
  let vector = new Float64Array(cols).map(
    (_, i) => gram[start * cols + i] / unit + (((i * 37) % 11) - 5) / 100,
  );
  let eigenvalue = 0;
  for (let step = 0; step < ITERATIONS; step++) {
    const next = new Float64Array(cols);
    for (let i = 0; i < cols; i++) for (let j = 0; j < cols; j++) next[i] += gram[i * cols + j] * vector[j];
    const norm = length(next);
    if (norm === 0) return 0;
    const before = eigenvalue;
    eigenvalue = norm / length(vector);
    vector = next.map((v) => v / norm);
    if (Math.abs(eigenvalue - before) <= 1e-9 * eigenvalue) break;
  }
  let square = 0;
  for (let at = 0; at < x.length; at += cols) {
    let product = 0;
    for (let c = 0; c < cols; c++) product += x[at + c] * vector[c];
    square += product * product;
  }
  return Math.sqrt(square) / length(vector);
}

/**
 * ‖X‖_op from above, by at most 0.3 % for 256 columns: λ_max(G) ≤ tr(G^k)^(1/k) of the Gram matrix G with k = 2¹⁰, by squaring.
 *
 * @param x - shape (rows, cols). Time O(rows · cols² + 10 cols³). Up to the rounding of G, which is summed in float32.
 */
export async function operatorNormAbove(
  x: Float32Array,
  rows: number,
  cols: number,
  kernels: Kernels,
): Promise<number> {
  if (rows === 0) return 0;
  let power = Float64Array.from(await gramMatrix(x, rows, cols, kernels));
  let logNorm = 0;
  for (let squaring = 0; ; squaring++) {
    let trace = 0;
    for (let i = 0; i < cols; i++) trace += power[i * cols + i];
    if (trace === 0) return 0;
    // With traces taken out on the way, λ_max of what is left is at most 1.
    logNorm += Math.log(trace) / 2 ** (squaring + 1);
    if (squaring === 10) return Math.exp(logNorm);
    const next = new Float64Array(cols * cols);
    for (let i = 0; i < cols; i++)
      for (let k = 0; k < cols; k++) {
        const factor = power[i * cols + k] / trace;
        for (let j = 0; j < cols; j++) next[i * cols + j] += factor * (power[k * cols + j] / trace);
      }
    power = next;
  }
}

async function gramMatrix(
  x: Float32Array,
  rows: number,
  cols: number,
  kernels: Kernels,
): Promise<Float32Array> {
  const gram = new Float32Array(cols * cols);
  await kernels.gemm({ m: cols, n: cols, k: rows, a: x, b: x, c: gram, transposeA: true });
  return gram;
}

/** A norm between certain limits, rounding aside. */
export interface NormLimits {
  low: number;
  high: number;
}

/**
 * ‖P‖_op of one head, by power iteration on M = PᵀP from x = 1: ‖Px‖ / ‖x‖ from below, and from above, as M has no negative entry, the square root of
 * the largest (Mx)_j / x_j (Collatz and Wielandt). P x is attention with values x; (Pᵀ y)_j = Σ_i e^{s_ij − lse_i} y_i is attention of the keys over the
 * queries with log-weights −lse, times its own normaliser. Rows and keys are reversed for it, so that causality stays causality.
 *
 * @param lse - exact, shape (heads, n_q)
 *
 * Time: up to 60 passes of exact attention; it stops where the limits are within 0.1 %, or neither moves. Memory for one head of keys, queries and bias.
 */
export async function probabilityNorm(
  problem: Problem,
  head: number,
  lse: Float64Array,
  kernels: Kernels,
): Promise<NormLimits> {
  const keyHead = Math.floor((head * problem.logits.keyHeads) / problem.logits.heads);
  const { logits } = headRange(problem.logits, head, head + 1, keyHead, keyHead + 1);
  const { queryRows, keyRows, dim, keyLogWeights, bias, slopes, storage = 'float32' } = logits;
  const keys = headRows({ data: logits.keys, storage }, 0, keyRows, dim);
  const one = { ...logits, keys, storage: 'float32' as const, valueDim: 1 };
  const forward = async (x: Float32Array) => {
    const out = new Float32Array(queryRows);
    await kernels.attention({ ...one, values: x, out, lse: new Float64Array(queryRows) });
    return out;
  };
  // Slopes count from a row's own place: of reversed rows and keys the places differ by n_k − n_q.
  const shift = (slopes?.[0] ?? 0) * (keyRows - queryRows);
  const turned = {
    ...{ ...one, queries: reversedRows(keys, dim), keys: reversedRows(logits.queries, dim) },
    ...{ queryRows: keyRows, keyRows: queryRows, bias: bias && turnedBias(bias, queryRows, keyRows) },
    keyLogWeights: Float32Array.from(lse.subarray(head * queryRows, (head + 1) * queryRows), (x) =>
      x === -Infinity ? -Infinity : shift - x,
    ).reverse(),
  };
  const backward = async (y: Float32Array) => {
    const out = new Float32Array(keyRows);
    const sums = new Float64Array(keyRows);
    await kernels.attention({ ...turned, values: reversedRows(y, 1), out, lse: sums });
    const result = out.map((value, j) => value * Math.exp(sums[j])).reverse();
    return keyLogWeights ? result.map((value, j) => (keyLogWeights[j] === -Infinity ? 0 : value)) : result;
  };
  let vector = new Float32Array(keyRows).map((_, j) => (keyLogWeights?.[j] === -Infinity ? 0 : 1));
  const limits: NormLimits = { low: 0, high: Infinity };
  for (let step = 0; step < 30; step++) {
    const before = { ...limits };
    const image = await forward(vector);
    const next = await backward(image);
    // A column that M takes to 0 is 0; the other entries of x stay positive.
    let [quotient, most] = [0, 0];
    for (let j = 0; j < keyRows; j++) {
      if (vector[j] > 0) quotient = Math.max(quotient, next[j] / vector[j]);
      most = Math.max(most, next[j]);
    }
    limits.low = Math.max(limits.low, length(image) / Math.max(length(vector), Number.MIN_VALUE));
    limits.high = Math.min(limits.high, Math.sqrt(quotient));
    if (most === 0 || limits.high <= 1.001 * limits.low) break;
    if (step > 2 && limits.low <= (1 + 1e-5) * before.low && limits.high >= (1 - 1e-3) * before.high) break;
    vector = next.map((value) => (value === 0 ? 0 : Math.max(1e-30, value / most)));
  }
  return limits;
}

/** A bias of shape (n_q, n_k), transposed, with rows and columns in reverse. */
function turnedBias(bias: Float32Array, rows: number, cols: number): Float32Array {
  const turned = new Float32Array(bias.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < cols; j++) turned[(cols - 1 - j) * rows + (rows - 1 - i)] = bias[i * cols + j];
  return turned;
}

function reversedRows(data: Float32Array, width: number): Float32Array {
  const rows = data.length / width;
  const result = new Float32Array(data.length);
  for (let i = 0; i < rows; i++)
    result.set(data.subarray(i * width, (i + 1) * width), (rows - 1 - i) * width);
  return result;
}

function length(vector: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < vector.length; i++) sum += vector[i] * vector[i];
  return Math.sqrt(sum);
}
