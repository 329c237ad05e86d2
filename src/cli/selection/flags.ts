// What a person may say to `provably select`.

import { requireExtension } from '../extensions.ts';
import { UsageError } from '../failure.ts';
import type { Size } from '../parse.ts';

export interface SelectFlags {
  column?: string;
  columns?: string[];
  id?: string;
  losses?: string;
  lossCommand?: string;
  model?: string;
  journal?: string;
  size?: Size;
  epsilon?: number;
  mode: 'robust' | 'paper' | 'balanced';
  scheme: 'fixed-size' | 'hansen-hurwitz' | 'poisson' | 'gumbel';
  k: number | 'auto';
  alpha?: number;
  lambda?: number;
  power: number;
  probes: number | 'auto';
  delta: number;
  metric: 'euclidean' | 'cosine';
  maxLoss?: number;
  onInvalid: 'reject' | 'drop';
  seed: number;
  out?: string;
  copy: boolean;
  report?: string;
  estimate: boolean;
  audit: boolean;
  json: boolean;
}

/** What holds when nothing is said; the rest has its default in the library. */
export const selectDefaults = {
  mode: 'robust',
  scheme: 'fixed-size',
  k: 'auto',
  power: 2,
  probes: 'auto',
  delta: 0.1,
  metric: 'euclidean',
  onInvalid: 'reject',
  seed: 0,
} as const;

/** What can be said before any file is opened. */
export function checkFlags({
  size: wanted,
  epsilon,
  out,
  copy,
  report,
  json,
  column,
  columns,
}: SelectFlags): void {
  if ((wanted === undefined) === (epsilon === undefined)) {
    throw new UsageError(
      'select needs to know how many rows: give --size (500 or 1%) or --epsilon, not both.',
    );
  }
  if (out === undefined && !json)
    throw new UsageError('select needs a place for the picked rows: give --out, or --json.');
  if (out !== undefined) requireExtension('--out', out);
  if (copy && out === undefined) throw new UsageError('--copy needs --out.');
  if (report !== undefined) requireExtension('--report', report, ['.json', '.html']);
  if (column !== undefined && columns !== undefined)
    throw new UsageError('give --column or --columns, not both.');
}
