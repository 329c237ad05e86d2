// What a person may say to `provably cache`.

import { requireExtension } from '../extensions.ts';
import { UsageError } from '../failure.ts';
import { checkTensorFiles } from '../head-tensors.ts';

export interface CacheFlags {
  queries?: string;
  keys?: string;
  values?: string;
  scale?: number;
  planted: boolean;
  n?: number;
  dim?: number;
  clusters?: number;
  needle?: number;
  policies?: string[];
  budget?: number;
  bytes?: number;
  checkpoints?: number[];
  asks?: number;
  delta?: number;
  seed: number;
  report?: string;
  json: boolean;
}

/** What can be said before any file is opened. */
export function checkFlags(files: readonly string[], flags: CacheFlags): void {
  const { planted, queries, keys, values, budget, bytes, report, checkpoints } = flags;
  if (!planted) {
    if (files.length === 0) throw new UsageError('cache needs files with K and V, or --planted.');
    checkTensorFiles(files, { queries, keys, values }, 'optional');
    const unused = (['n', 'dim', 'clusters'] as const).find((name) => flags[name] !== undefined);
    if (unused) throw new UsageError(`--${unused} goes with --planted only.`);
  } else {
    if (files.length > 0)
      throw new UsageError(`--planted makes its own stream; leave out ${files.join(' ')}.`);
    const unused = (['queries', 'keys', 'values'] as const).find((name) => flags[name] !== undefined);
    if (unused) throw new UsageError(`--${unused} goes with files only.`);
  }
  if (budget !== undefined && bytes !== undefined)
    throw new UsageError('--budget and --bytes say the same thing twice; give one of them.');
  if (checkpoints?.some((at, i) => at <= (checkpoints[i - 1] ?? 0)))
    throw new UsageError(`--checkpoints ${checkpoints.join(',')}; expected ascending counts of tokens.`);
  if (report !== undefined) requireExtension('--report', report, ['.html']);
}
