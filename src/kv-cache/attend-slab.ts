// Attention of many tokens' queries over the rows of a slab, at the speed of a prefill.

import { type AttentionTask, isFloatStorage, type Kernels, type StoredArray } from '../kernels/index.ts';
import type { Slab } from './slab.ts';
import type { CacheAnswers, CacheShape } from './types.ts';

/**
 * @param queries - shape (heads, count, slab's dim)
 * @param logWeights - instead of the slab's own, shape (keyHeads, capacity)
 * @returns of a head without rows: zeros, and lse −∞
 *
 * Time O(count · heads · rows · (dim + valueDim)).
 */
export async function attendSlab(
  slab: Slab,
  { heads, scale }: Pick<Required<CacheShape>, 'heads' | 'scale'>,
  queries: Float32Array,
  count: number,
  kernels: Kernels,
  { logWeights = slab.view.logWeights }: { logWeights?: Float32Array } = {},
): Promise<CacheAnswers> {
  const { lengths } = slab.view;
  const { keyHeads, dim, valueDim } = slab.shape;
  // All queries that meet the same keys are rows of one head: the kernel then brings these in once for all.
  const queryRows = (heads / keyHeads) * count;
  const output = new Float32Array(heads * count * valueDim);
  const lse = new Float64Array(heads * count);
  for (let head = 0; head < keyHeads; head++) {
    const [first, keyRows, row] = [head * slab.capacity, lengths[head], head * queryRows];
    const own = (width: number) => [row * width, (row + queryRows) * width] as const;
    await kernels.attention({
      ...{ heads: 1, keyHeads: 1, queryRows, keyRows, dim, valueDim, scale },
      ...{
        queries: queries.subarray(...own(dim)),
        ...rowsOf(slab, first, keyRows),
      },
      ...(logWeights.length > 0 ? { keyLogWeights: logWeights.subarray(first, first + keyRows) } : {}),
      ...{ out: output.subarray(...own(valueDim)), lse: lse.subarray(...own(1)) },
    });
  }
  return { output, lse };
}

/** Rows [first, first + rows) as the attention kernel takes them: those of few bits as float32. */
function rowsOf(slab: Slab, first: number, rows: number): Pick<AttentionTask, 'keys' | 'values' | 'storage'> {
  const { storage, dim, valueDim } = slab.shape;
  if (!isFloatStorage(storage))
    return { keys: slab.numbers('keys', first, rows), values: slab.numbers('values', first, rows) };
  const part = (array: StoredArray, width: number) =>
    array.subarray(first * width, (first + rows) * width) as Float32Array | Uint16Array;
  return { keys: part(slab.view.keys, dim), values: part(slab.view.values, valueDim), storage };
}
