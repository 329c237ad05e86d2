// The cache that the tour shows and the protocols hold against the others: to be changed here and nowhere else.

import type { KeyValueStorage } from '../../kernels/index.ts';
import type { ComparedPolicy } from '../../kv-cache/index.ts';

export interface RecommendedCache {
  policy: ComparedPolicy;
  /** Of keys and values. */
  storage: KeyValueStorage;
}

export const RECOMMENDED: RecommendedCache = { policy: { policy: 'hybrid' }, storage: 'float32' };

/** Caches it is held against at equal bytes. */
export const RIVALS: readonly ComparedPolicy[] = [
  { policy: 'snapkv' },
  { policy: 'h2o' },
  { policy: 'sink-window' },
];

export function nameOf({ name, policy }: ComparedPolicy): string {
  return name ?? policy;
}
