// Words for what a sequence keeps.

import type { CacheOptions } from '../../kv-cache/index.ts';
import type { SequenceOptions } from '../../llm/index.ts';

/** 1.5 MB */
export function describeBytes(bytes: number): string {
  if (bytes < 1e3) return `${bytes} B`;
  const [divisor, unit] = bytes < 1e6 ? [1e3, 'kB'] : bytes < 1e9 ? [1e6, 'MB'] : [1e9, 'GB'];
  return `${(bytes / divisor).toFixed(bytes / divisor < 10 ? 1 : 0)} ${unit}`;
}

/** cache hybrid of 2048 rows in k4v3 */
export function describeCache({ cache, storage }: SequenceOptions): string {
  if (cache === undefined || typeof cache === 'function') return 'the cache';
  const heads = [cache].flat() as CacheOptions[];
  const budgets = heads.flatMap((one) => ('budget' in one ? one.budget : []));
  const rows = budgets.length > 0 ? ` of ${budgets.join(', ')} rows` : '';
  return `cache ${heads[0].policy}${rows}${storage === undefined || storage === 'float32' ? '' : ` in ${storage}`}`;
}
