// Whether an entry of the log is what was written: its place in the chain, its hashes, and its bags.

import { decodeMembers } from '../privacy/member-codec.ts';
import {
  answerDigest,
  entryHash,
  type LogHead,
  NO_DIGEST,
  queryDigest,
  type ReleasedBag,
} from './audit-chain.ts';
import type { StoredEntry } from './ledger-reading.ts';
import { type LedgerParameters, parametersDigest } from './parameters.ts';

/** A bag of an answer with its members, charged by this entry or by an earlier one. */
export interface ReadBag {
  charged: boolean;
  rows: Uint32Array;
}

/** A charged bag as an earlier entry holds it, with that entry's stage and ε. */
export interface EarlierBag {
  members: Uint8Array;
  mean: number;
  stage: string;
  units: number;
}

export interface CheckContext {
  parameters: LedgerParameters;
  /** Entry before the one to check. */
  previous: LogHead;
  /** Looks up a charged bag; undefined when there is none at that place. */
  find(ofEntry: number, ofPosition: number): EarlierBag | undefined;
}

/**
 * Checks one entry against itself and the one before it, not against spending.
 *
 * @returns its bags, or what is wrong with it
 */
export function checkEntry({ entry, bags }: StoredEntry, context: CheckContext): ReadBag[] | string {
  const { parameters, previous } = context;
  const number = previous.entry + 1;
  if (entry.entry !== number) return `entry ${number} is missing: ${entry.entry} follows ${previous.entry}`;
  if (entryHash({ ...entry, previous: previous.hash }) !== entry.hash) {
    return 'its hash is not that of its fields and of the entry before it';
  }
  if ((entry.kind === 'created') !== (number === 0))
    return `its kind is ${entry.kind}; expected "created" of the first entry only`;
  if (entry.kind === 'created' || entry.kind === 'opened') {
    if (entry.query !== parametersDigest(parameters))
      return 'the parameters of the ledger are not those it was opened with';
  }
  if (entry.kind !== 'answer') {
    if (entry.kind === 'refusal' && (entry.reason as string) === '') return 'a refusal has no reason';
    if (bags.length > 0 || entry.answer !== NO_DIGEST)
      return `bags were answered under an entry of kind ${entry.kind}`;
    return [];
  }
  return checkAnswer({ entry, bags }, context);
}

function checkAnswer({ entry, bags }: StoredEntry, { parameters, find }: CheckContext): ReadBag[] | string {
  const read: ReadBag[] = [];
  const members: Uint8Array[] = [];
  const released: ReleasedBag[] = [];
  for (const [position, bag] of bags.entries()) {
    const stored = 'members' in bag ? bag : find(bag.ofEntry, bag.ofPosition);
    if (!stored) return `bag ${position} repeats an answer that is not there`;
    if (!('members' in bag)) {
      const earlier = stored as EarlierBag;
      const isEarlier =
        bag.ofEntry < entry.entry && earlier.stage === entry.stage && earlier.units === entry.units;
      if (!isEarlier) return `bag ${position} repeats an answer of another stage or epsilon, or a later one`;
    }
    let rows: Uint32Array;
    try {
      rows = decodeMembers(stored.members);
    } catch {
      return `the members of bag ${position} cannot be read`;
    }
    if (rows[rows.length - 1] >= parameters.samples) return `bag ${position} holds a row that has no label`;
    if (rows.length < parameters.minBag)
      return `bag ${position} holds ${rows.length} samples, fewer than ${parameters.minBag}`;
    if (!Number.isFinite(stored.mean)) return `the mean of bag ${position} is no number`;
    const charged = 'members' in bag;
    read.push({ charged, rows });
    members.push(stored.members);
    released.push({ mean: stored.mean, size: rows.length, units: charged ? entry.units : 0 });
  }
  const charged = read.filter((bag) => bag.charged).length;
  if (charged !== entry.charged || read.length - charged !== entry.repeated) {
    return `it charges ${charged} bags and repeats ${read.length - charged}; its entry says ${entry.charged} and ${entry.repeated}`;
  }
  if (queryDigest(entry.stage, entry.units, members) !== entry.query)
    return 'its bags are not those that were asked for';
  if (answerDigest(released) !== entry.answer) return 'its means are not those that were answered';
  return read;
}
