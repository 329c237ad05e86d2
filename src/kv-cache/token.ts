// One key head's part of a token.

import type { CacheShape } from './types.ts';

export interface Token {
  /** Shape (dim,). */
  key: Float32Array;
  /** Shape (valueDim,). */
  value: Float32Array;
  /** Place in the stream, from 0. */
  position: number;
}

/** Token `i` of an append as a key head sees it; views, nothing is copied. */
export function tokenOf(
  { keyHeads, dim, valueDim }: CacheShape,
  keys: Float32Array,
  values: Float32Array,
  { i, head, position }: { i: number; head: number; position: number },
): Token {
  const at = i * keyHeads + head;
  const key = keys.subarray(at * dim, (at + 1) * dim);
  return { key, value: values.subarray(at * valueDim, (at + 1) * valueDim), position };
}
