// What a ledger was made for: fixed for its life, since spending means nothing without it.

import { createHash } from 'node:crypto';
import { DataError } from '../../core/errors.ts';
import { unitsToEpsilon } from '../privacy/epsilon.ts';
import { textDigest } from './audit-chain.ts';
import { type LabelStore, littleEndian } from './label-store.ts';
import type { ResolvedAggregatorOptions } from './options.ts';

/** Facts that a ledger keeps. None depends on a label. */
export interface LedgerParameters {
  /** Version of the layout. */
  version: 1;
  /** The owner's name of the label table and its version. */
  table: string;
  samples: number;
  /** SHA-256 of ids and people. */
  ids: string;
  /** SHA-256 of the person of each row; '' when every row is its own. */
  people: string;
  minBag: number;
  budget: number;
  epsilonPerRelease: number;
  minEpsilon: number;
  low: number;
  high: number;
  grid: number;
}

/** What a ledger is made for when it is opened so. */
export function parametersOf(
  { size, fingerprint, people }: Pick<LabelStore, 'size' | 'fingerprint' | 'people'>,
  { table, minBag, budget, minUnits, maxUnits, grid }: ResolvedAggregatorOptions,
): LedgerParameters {
  return {
    ...{ version: 1, table, samples: size, ids: fingerprint, people: peopleDigest(people) },
    ...{ minBag, budget, epsilonPerRelease: unitsToEpsilon(maxUnits), minEpsilon: unitsToEpsilon(minUnits) },
    ...{ low: grid.low, high: grid.high, grid: grid.step },
  };
}

/** Text that is hashed and stored: JSON in the order of `LedgerParameters`. */
export function parametersText(p: LedgerParameters): string {
  const { version, table, samples, ids, people, minBag } = p;
  const { budget, epsilonPerRelease, minEpsilon, low, high, grid } = p;
  return JSON.stringify({
    ...{ version, table, samples, ids, people, minBag },
    ...{ budget, epsilonPerRelease, minEpsilon, low, high, grid },
  });
}

export function parametersDigest(p: LedgerParameters): string {
  return textDigest(parametersText(p));
}

export function peopleDigest(people: Uint32Array | undefined): string {
  return people ? createHash('sha256').update(littleEndian(people)).digest('hex') : '';
}

/** @throws {DataError} the text is not what `parametersText` gives */
export function parseParameters(text: unknown): LedgerParameters {
  try {
    const parameters = JSON.parse(String(text)) as LedgerParameters;
    if (parameters.version === 1 && parametersText(parameters) === text) return parameters;
  } catch {
    // Said below.
  }
  throw new DataError(
    'ledger: its parameters cannot be read; expected those of version 1. This is another file, or a damaged ledger.',
  );
}

const WORDS: Partial<Record<keyof LedgerParameters, string>> = {
  ids: 'another set of ids or people',
  people: 'other people',
};

/** @throws {DataError} the ledger was made for something else: the message names the first difference */
export function requireSameParameters(kept: LedgerParameters, given: LedgerParameters): void {
  for (const key of Object.keys(given) as (keyof LedgerParameters)[]) {
    if (kept[key] === given[key]) continue;
    const difference = WORDS[key] ?? `${key} ${kept[key]}, and ${key} ${given[key]} was given`;
    throw new DataError(
      `openAggregator: this ledger was made for ${difference}; expected what it was made for, or spending would no longer add up. Open it as before, or start a new ledger for a new table of labels.`,
    );
  }
}
