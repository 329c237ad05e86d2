// Everything is kept: exact, and as large as the stream.

import { type EvictionRule, TokenCache } from '../token-cache.ts';
import type { CacheShape } from '../types.ts';

export interface FullOptions {
  policy: 'full';
}

const keepAll: EvictionRule = { arrays: {}, choose: () => 0, copy: () => keepAll };

export function fullCache(shape: Required<CacheShape>, options: FullOptions): TokenCache {
  return new TokenCache('full', shape, options, undefined, keepAll);
}
