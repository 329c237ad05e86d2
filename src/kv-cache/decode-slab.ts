// Attention of one token's queries over the rows of a slab.

import type { Kernels } from '../kernels/index.ts';
import type { Slab } from './slab.ts';
import type { CacheShape } from './types.ts';

export interface DecodeSlabOptions {
  /** Instead of the slab's own, shape (keyHeads, capacity). */
  logWeights?: Float32Array;
  /** Receives the probability of every row, shape (heads, capacity). */
  probabilities?: Float32Array | undefined;
}

/** @param queries - shape (heads, dim) @returns output, shape (heads, the slab's valueDim), and lse, shape (heads,) */
export async function decodeSlab(
  slab: Slab,
  { heads, keyHeads, dim, scale }: Pick<Required<CacheShape>, 'heads' | 'keyHeads' | 'dim' | 'scale'>,
  queries: Float32Array,
  kernels: Kernels,
  { logWeights = slab.view.logWeights, probabilities }: DecodeSlabOptions = {},
): Promise<{ output: Float32Array; lse: Float64Array }> {
  const { keys, values, lengths } = slab.view;
  const { valueDim, storage } = slab.shape;
  const output = new Float32Array(heads * valueDim);
  const lse = new Float64Array(heads);
  await kernels.decode({
    ...{ logWeights: logWeights.length > 0 ? logWeights : undefined },
    ...{ queries, keys, values, lengths, storage, heads, keyHeads, dim, valueDim, scale },
    ...{ capacity: slab.capacity, out: output, lse, probabilities },
  });
  return { output, lse };
}
