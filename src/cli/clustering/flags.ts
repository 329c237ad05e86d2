// What a person may say to `provably cluster`.

import { requireExtension, tableExtensions } from '../extensions.ts';
import { UsageError } from '../failure.ts';

export interface ClusterFlags {
  column?: string;
  columns?: string[];
  id?: string;
  weights?: string;
  k: number;
  algorithm: 'auto' | 'lloyd' | 'hamerly' | 'yinyang' | 'elkan' | 'mini-batch';
  init?: 'greedy' | 'k-means++' | 'afk-mc2' | 'k-means||' | 'random';
  initCenters?: string;
  maxIterations?: number;
  tolerance?: number;
  power: '1' | '2';
  restarts?: number;
  trainRows?: number;
  boundMemory?: number;
  spherical: boolean;
  seed: number;
  out?: string;
  centers?: string;
  json: boolean;
}

/** What can be said before any file is opened. */
export function checkFlags(flags: Partial<ClusterFlags>): asserts flags is ClusterFlags {
  const { k, out, centers } = flags;
  // Checked here, since commander would complain of it before it names a mistyped --kk.
  if (k === undefined) throw new UsageError('cluster needs the number of clusters: give --k.');
  if (out !== undefined) requireExtension('--out', out);
  if (centers !== undefined) requireExtension('--centers', centers, ['.npy', ...tableExtensions]);
  refuseUnused(flags);
}

/** Options that mini-batch has no use for are refused, not ignored. */
function refuseUnused({
  algorithm,
  maxIterations,
  tolerance,
  restarts,
  power,
  boundMemory,
}: Partial<ClusterFlags>): void {
  if (algorithm !== 'mini-batch') return;
  const others = { 'max-iterations': maxIterations, tolerance, restarts, 'bound-memory': boundMemory };
  const unused = Object.entries({ ...others, power: power === '2' ? undefined : power }).find(
    ([, value]) => value !== undefined,
  );
  if (unused) throw new UsageError(`--${unused[0]} does not go with --algorithm mini-batch.`);
}
