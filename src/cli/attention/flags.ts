// What a person may say to `provably attention`.

import type { BlockRule, BucketOrder, ResidualSampling } from '../../attention/index.ts';
import { requireExtension } from '../extensions.ts';
import { UsageError } from '../failure.ts';
import { checkTensorFiles } from '../head-tensors.ts';

/** Structures that can be planted, and the least that is said of each. */
export const plantedKinds = {
  'few-heavy': 'eight heavy keys a query',
  clustered: 'a thirty-second of all keys is heavy for a query',
  gaussian: 'independent normal numbers: nothing to find',
} as const;

export interface PlantedFlags {
  planted?: keyof typeof plantedKinds;
  n?: number;
  dim?: number;
  heads?: number;
  strength?: number;
  noise?: number;
}

export interface AttentionFlags extends PlantedFlags {
  queries?: string;
  keys?: string;
  values?: string;
  scale?: number;
  causal: boolean;
  block?: number;
  samples?: number;
  hashBits?: number | 'auto';
  minSequence?: number;
  blocks?: BlockRule;
  bucketOrder?: BucketOrder;
  sampling?: ResidualSampling;
  sinks?: number;
  window?: number;
  rows?: number;
  delta?: number;
  /** Relative error that parameters are looked for. */
  tune?: number;
  reportHeads: boolean;
  /** Undefined: when it takes seconds. */
  exact?: boolean;
  seed: number;
  out?: string;
  json: boolean;
}

/** What can be said before any file is opened. */
export function checkFlags(files: readonly string[], flags: AttentionFlags): void {
  const { planted, queries, keys, values, out, window, causal } = flags;
  const names = { queries, keys, values };
  if (planted === undefined) {
    if (files.length === 0) throw new UsageError('attention needs files with Q, K and V, or --planted.');
    checkTensorFiles(files, names, 'needed');
    refuse(flags, ['n', 'dim', 'heads', 'strength', 'noise'], 'goes with --planted only');
  } else {
    if (files.length > 0)
      throw new UsageError(`--planted makes its own input; leave out ${files.join(' ')}.`);
    refuse(flags, ['queries', 'keys', 'values'], 'goes with files only');
    if (planted === 'gaussian') refuse(flags, ['strength', 'noise'], 'does not go with --planted gaussian');
  }
  if (flags.tune !== undefined)
    refuse(flags, ['block', 'samples', 'minSequence', 'hashBits'], 'does not go with --tune, which finds it');
  if (window !== undefined && !causal) throw new UsageError('--window goes with --causal only.');
  if (out !== undefined) requireExtension('--out', out, ['.npy']);
}

function refuse(flags: AttentionFlags, names: readonly (keyof AttentionFlags)[], why: string): void {
  const found = names.find((name) => flags[name] !== undefined);
  if (found !== undefined) throw new UsageError(`${optionName(found)} ${why}.`);
}

/** "minSequence" as it is typed: "--min-sequence". */
function optionName(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
