// Intervals of caches that either hold everything as it came or cannot tell what they dropped, or by how much it was rounded.

import type { CacheInterval } from './types.ts';

/** @param lse - the cache's answer, shape (heads,) @param isExact - nothing was dropped: certain to within float32's own rounding, which is not counted */
export function simpleInterval(lse: Float64Array, isExact: boolean): CacheInterval {
  return {
    lseLow: isExact ? lse.slice() : lse.map(() => -Infinity),
    lseHigh: isExact ? lse.slice() : lse.map(() => Infinity),
    outputError: lse.map(() => (isExact ? 0 : Infinity)),
  };
}
