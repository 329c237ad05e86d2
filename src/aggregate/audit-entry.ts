// The audit log's entries: each holds the hash of the one before, so that none can be changed, left out or added later.

import type { RefusalReason } from './protocol.ts';

export type EntryKind = 'created' | 'opened' | 'answer' | 'refusal';

/** One entry, as the log holds it. */
export interface AuditEntry {
  /** 0, 1, 2, … */
  entry: number;
  /** Milliseconds since 1970, by the clock of the aggregator's machine. */
  time: number;
  /** Who asked. */
  actor: string;
  kind: EntryKind;
  /** Stage of the query; '' when there is none. */
  stage: string;
  /** ε of the release in units of 10⁻⁹; 0 when nothing was released. */
  units: number;
  /** Bags answered for a charge, and bags whose earlier answer was repeated. */
  charged: number;
  repeated: number;
  /** Why a query was refused; '' otherwise. */
  reason: RefusalReason | '';
  /** SHA-256 of the query (see `queryDigest`, `textDigest`), hexadecimal. */
  query: string;
  /** SHA-256 of the answer (see `answerDigest`), hexadecimal; zeros when there is none. */
  answer: string;
  /** Hash of the entry before; zeros for the first. */
  previous: string;
  /** SHA-256 of all of the above, hexadecimal. */
  hash: string;
}

/** Position in the log that proves all before it. */
export interface LogHead {
  entry: number;
  hash: string;
}

/** `previous` of the first entry, and the digest of no answer. */
export const NO_DIGEST: string = '0'.repeat(64);

/** What an entry's hash is the SHA-256 of, as UTF-8: the JSON array of its fields, in the order of `AuditEntry`. */
export function entryText(e: Omit<AuditEntry, 'hash'>): string {
  const { entry, time, actor, kind, stage, units, charged, repeated, reason, query, answer, previous } = e;
  return JSON.stringify([
    ...[entry, time, actor, kind, stage, units],
    ...[charged, repeated, reason, query, answer, previous],
  ]);
}
