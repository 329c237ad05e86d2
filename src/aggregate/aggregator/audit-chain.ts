// Hashes of the audit log, and of what was asked and answered.

import { createHash } from 'node:crypto';
import { type AuditEntry, entryText } from '../audit-entry.ts';

export { type AuditEntry, type EntryKind, type LogHead, NO_DIGEST } from '../audit-entry.ts';

/** SHA-256 of `entryText`, hexadecimal. */
export function entryHash(entry: Omit<AuditEntry, 'hash'>): string {
  return textDigest(entryText(entry));
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
