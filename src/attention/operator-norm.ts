// Largest singular values: of tall matrices by their Gram matrix, of P by products with it that never form it.

import type { Kernels } from '../kernels/index.ts';
import type { Problem } from './problem.ts';

/** Most power iterations; the quotient after each is a lower bound of the eigenvalue, and grows. */
const ITERATIONS = 200;

/**
 * ‖X‖_op from below: power iteration until it gains less than 1e-9 a step.
 *
 * @param x - shape (rows, cols). Time O(rows · cols²). The Gram matrix is summed in float32 blocks, the iteration in float64.
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
  return Math.sqrt(eigenvalue);
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

/**
 * ‖P‖_op of one head from below, by power iteration on PᵀP. P x is attention with values x; (Pᵀ y)_j = Σ_i e^{s_ij − lse_i} y_i is attention of the keys
 * over the queries with log-weights −lse, times its own normaliser. Rows and keys are reversed for it, so that causality stays causality.
 *
 * @param lse - exact, shape (heads, n_q) @param problem - without bias and slopes, or else only the certain bound √(n_q / n_k) is returned
 *
 * Time: up to 60 passes of exact attention.
 */
export async function probabilityNorm(
  problem: Problem,
  head: number,
  lse: Float64Array,
  kernels: Kernels,
): Promise<number> {
  const { logits } = problem;
  const { heads, keyHeads, queryRows, keyRows, dim, keyLogWeights, causalOffset } = logits;
  const certain = Math.sqrt(queryRows / keyRows);
  if (logits.bias || logits.slopes || logits.storage !== 'float32') return certain;
  const keyHead = Math.floor((head * keyHeads) / heads);
  const own = (array: Float32Array, at: number, rows: number, width: number) =>
    array.subarray(at * rows * width, (at + 1) * rows * width);
  const queries = own(logits.queries, head, queryRows, dim);
  const keys = own(logits.keys as Float32Array, keyHead, keyRows, dim);
  const weights = keyLogWeights && own(keyLogWeights, keyHead, keyRows, 1);
  const rowLse = lse.subarray(head * queryRows, (head + 1) * queryRows);
  const one = { heads: 1, keyHeads: 1, dim, valueDim: 1, scale: logits.scale };
  const forward = async (x: Float32Array) => {
    const out = new Float32Array(queryRows);
    const task = {
      ...one,
      queries,
      keys,
      values: x,
      queryRows,
      keyRows,
      keyLogWeights: weights,
      causalOffset,
    };
    await kernels.attention({ ...task, out, lse: new Float64Array(queryRows) });
    return out;
  };
  const reversed = {
    queries: reversedRows(keys, dim),
    keys: reversedRows(queries, dim),
    keyLogWeights: Float32Array.from(rowLse, (x) => (x === -Infinity ? -Infinity : -x)).reverse(),
    ...{ queryRows: keyRows, keyRows: queryRows, causalOffset },
  };
  const backward = async (y: Float32Array) => {
    const out = new Float32Array(keyRows);
    const sums = new Float64Array(keyRows);
    await kernels.attention({ ...one, ...reversed, values: reversedRows(y, 1), out, lse: sums });
    const result = out.map((value, i) => value * Math.exp(sums[i])).reverse();
    return weights ? result.map((value, j) => (weights[j] === -Infinity ? 0 : value)) : result;
  };
  let vector = new Float32Array(keyRows).fill(1 / Math.sqrt(keyRows));
  let value = certain;
  for (let step = 0; step < 30; step++) {
    const image = await forward(vector);
    const found = length(image) / length(vector);
    const next = await backward(image);
    const size = length(next);
    if (size === 0) break;
    vector = next.map((v) => v / size);
    const gain = found - value;
    value = Math.max(value, found);
    if (step > 2 && gain <= 1e-5 * value) break;
  }
  return value;
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
