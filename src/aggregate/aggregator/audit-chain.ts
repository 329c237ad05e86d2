// The audit log's entries: each holds the hash of the one before, so that none can be changed, left out or added later.

import { createHash } from 'node:crypto';
import type { RefusalReason } from '../protocol.ts';

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

export const NO_DIGEST: string = '0'.repeat(64);

/** SHA-256 of the UTF-8 text of the JSON array of an entry's fields, in the order of `AuditEntry`. */
export function entryHash(e: Omit<AuditEntry, 'hash'>): string {
  const { entry, time, actor, kind, stage, units, charged, repeated, reason, query, answer, previous } = e;
  return textDigest(
    JSON.stringify([
      ...[entry, time, actor, kind, stage, units],
      ...[charged, repeated, reason, query, answer, previous],
    ]),
  );
}

/** SHA-256 of the JSON array [stage, units, number of bags] and, for each bag, the length of its members (4 bytes, high first) and the members. */
export function queryDigest(stage: string, units: number, bags: readonly Uint8Array[]): string {
  const hash = createHash('sha256').update(JSON.stringify([stage, units, bags.length]));
  for (const members of bags) hash.update(bigEndian(members.length)).update(members);
  return hash.digest('hex');
}

/** What was answered about a bag. */
export interface ReleasedBag {
  mean: number;
  size: number;
  /** Units that each label in it was charged: 0 for a repeated answer. */
  units: number;
}

/** SHA-256 over the bags: mean, size, units, each as 8 bytes of a double, high byte first. Noise variance follows from size and ε. */
export function answerDigest(bags: readonly ReleasedBag[]): string {
  const bytes = new DataView(new ArrayBuffer(24 * bags.length));
  bags.forEach(({ mean, size, units }, a) => {
    [mean, size, units].forEach((x, i) => {
      bytes.setFloat64(24 * a + 8 * i, x);
    });
  });
  return createHash('sha256').update(bytes).digest('hex');
}

export function textDigest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A double as 8 bytes, high byte first: every answer takes as much room as any other. */
export function doubleBytes(x: number): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setFloat64(0, x);
  return new Uint8Array(bytes.buffer);
}

export function doubleFrom(bytes: Uint8Array): number {
  return bytes.length === 8 ? new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0) : Number.NaN;
}

function bigEndian(x: number): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(4));
  bytes.setUint32(0, x);
  return new Uint8Array(bytes.buffer);
}
