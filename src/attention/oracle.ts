// Exact attention from its definition in float64: slow and obvious, what everything else is measured against.

import { halfToNumber } from '../kernels/index.ts';
import type { AttentionInput, StoredHeadTensor } from './types.ts';

export interface OracleAttention {
  /** Shape (batch, heads, n_q, d_v). */
  output: Float64Array;
  /** Shape (batch, heads, n_q). */
  lse: Float64Array;
}

/** @param rows - query rows wanted; the others stay 0 and −∞. Default: all */
export function oracleAttention(input: AttentionInput, rows?: readonly number[]): OracleAttention {
  const { queries, keys, values } = input;
  const { batch, heads } = queries;
  const output = new Float64Array(batch * heads * queries.rows * values.cols);
  const lse = new Float64Array(batch * heads * queries.rows).fill(-Infinity);
  const wanted = rows ?? Array.from({ length: queries.rows }, (_, i) => i);
  for (let b = 0; b < batch; b++)
    for (let h = 0; h < heads; h++)
      for (const i of wanted) {
        const probabilities = oracleProbabilities(input, b, h, i);
        const at = (b * heads + h) * queries.rows + i;
        lse[at] = probabilities.lse;
        const keyHead = b * keys.heads + Math.floor(h / (heads / keys.heads));
        probabilities.values.forEach((p, j) => {
          if (p > 0)
            for (let c = 0; c < values.cols; c++)
              output[at * values.cols + c] +=
                p * entryOf(values, (keyHead * values.rows + j) * values.cols + c);
        });
      }
  return { output, lse };
}

/** Row i of P for one head, and its lse. */
export function oracleProbabilities(
  { queries, keys, scale = 1 / Math.sqrt(queries.cols), causal, keyMask, bias, slopes }: AttentionInput,
  b: number,
  h: number,
  i: number,
): { values: Float64Array; lse: number } {
  const query = ((b * queries.heads + h) * queries.rows + i) * queries.cols;
  const keyHead = b * keys.heads + Math.floor(h / (queries.heads / keys.heads));
  const biasHead = bias && bias.length > queries.rows * keys.rows ? h : 0;
  const logits = Float64Array.from({ length: keys.rows }, (_, j) => {
    if ((causal && j > i) || keyMask?.[b * keys.rows + j] === 0) return -Infinity;
    let sum = 0;
    for (let p = 0; p < keys.cols; p++)
      sum += queries.data[query + p] * entryOf(keys, (keyHead * keys.rows + j) * keys.cols + p);
    return (
      scale * sum +
      (bias?.[(biasHead * queries.rows + i) * keys.rows + j] ?? 0) +
      (slopes?.[h] ?? 0) * (j - i)
    );
  });
  const most = logits.reduce((a, x) => Math.max(a, x), -Infinity);
  if (most === -Infinity) return { values: new Float64Array(keys.rows), lse: -Infinity };
  const weights = logits.map((x) => Math.exp(x - most));
  const total = weights.reduce((sum, x) => sum + x, 0);
  return { values: weights.map((x) => x / total), lse: most + Math.log(total) };
}

function entryOf({ data, storage = 'float32' }: StoredHeadTensor, at: number): number {
  return storage === 'float32' ? data[at] : halfToNumber(data[at], storage);
}
