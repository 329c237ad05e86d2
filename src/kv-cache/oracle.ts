// Exact attention over all tokens of a stream so far, in float64: slow and obvious.

import type { CacheShape } from './types.ts';

/** A stream of tokens, token after token. */
export interface TokenStream {
  /** Shape (tokens, keyHeads, dim). */
  keys: Float32Array;
  /** Shape (tokens, keyHeads, valueDim). */
  values: Float32Array;
  /** Shape (tokens, heads, dim). */
  queries: Float32Array;
}

export interface OracleAnswer {
  /** Shape (valueDim,). */
  output: Float64Array;
  lse: number;
  /** ‖softmax‖₂. */
  softmaxNorm: number;
}

/** What query `query`, shape (dim,), of one head gets from the first `tokens` tokens. */
export function oracleAnswer(
  { heads, keyHeads, dim, valueDim, scale }: Required<CacheShape>,
  { keys, values }: TokenStream,
  tokens: number,
  head: number,
  query: ArrayLike<number>,
): OracleAnswer {
  const keyHead = Math.floor(head / (heads / keyHeads));
  const logits = new Float64Array(tokens);
  let most = -Infinity;
  for (let t = 0; t < tokens; t++) {
    const at = (t * keyHeads + keyHead) * dim;
    for (let p = 0; p < dim; p++) logits[t] += scale * query[p] * keys[at + p];
    most = Math.max(most, logits[t]);
  }
  let total = 0;
  let squares = 0;
  const output = new Float64Array(valueDim);
  for (let t = 0; t < tokens; t++) {
    const weight = Math.exp(logits[t] - most);
    total += weight;
    squares += weight * weight;
    const at = (t * keyHeads + keyHead) * valueDim;
    for (let c = 0; c < valueDim; c++) output[c] += weight * values[at + c];
  }
  return {
    output: output.map((x) => x / total),
    lse: most + Math.log(total),
    softmaxNorm: Math.sqrt(squares) / total,
  };
}

/** ‖V‖_op of the first tokens of each key head, from below, by power iteration in float64. */
export function oracleValueNorms(
  { keyHeads, valueDim }: Required<CacheShape>,
  { values }: Pick<TokenStream, 'values'>,
  tokens: number,
): number[] {
  return Array.from({ length: keyHeads }, (_, head) => {
    let vector = new Float64Array(valueDim).fill(1);
    let norm = 0;
    for (let step = 0; step < 20; step++) {
      const next = new Float64Array(valueDim);
      for (let t = 0; t < tokens; t++) {
        const at = (t * keyHeads + head) * valueDim;
        let product = 0;
        for (let c = 0; c < valueDim; c++) product += values[at + c] * vector[c];
        for (let c = 0; c < valueDim; c++) next[c] += product * values[at + c];
      }
      const size = Math.sqrt(next.reduce((sum, x) => sum + x * x, 0));
      if (size === 0) return 0;
      norm = Math.sqrt(size / Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0)));
      vector = next.map((x) => x / size);
    }
    return norm;
  });
}
