// The chain of an audit log, recomputed from its entries by somebody who has nothing else.

import { UnsupportedError } from '../../core/errors.ts';
import { type AuditEntry, entryText, type LogHead, NO_DIGEST } from '../audit-entry.ts';

/** Whether a log is the one it was. */
export interface LogReport {
  /** True when nothing is wrong. */
  valid: boolean;
  /** The first thing that is wrong. */
  problem?: string;
  /** Entries that are sound. */
  entries: number;
  /** The last of them: keep its hash. */
  head: LogHead;
}

/**
 * Checks that each entry has the hash of its fields and of the entry before, from the first on, and that a kept hash is among them.
 *
 * @param entries - from number 0 on
 * @param kept - hash of an entry; without one, a log that was rewritten as a whole or cut at its end looks as good as the true one
 * @throws {UnsupportedError} there is no `crypto.subtle`: in browsers it needs https or localhost
 */
export async function verifyLog(entries: AsyncIterable<AuditEntry>, kept?: string): Promise<LogReport> {
  const subtle = globalThis.crypto?.subtle;
  if (!subtle) {
    throw new UnsupportedError(
      'verifyLog: there is no crypto.subtle here; expected Node, or a page over https. Use `provably aggregate verify`.',
    );
  }
  let head: LogHead = { entry: -1, hash: NO_DIGEST };
  let sawKept = kept === undefined;
  const report = (problem?: string): LogReport => ({
    valid: problem === undefined,
    ...(problem === undefined ? {} : { problem }),
    ...{ entries: head.entry + 1, head },
  });
  for await (const entry of entries) {
    const number = head.entry + 1;
    if (entry.entry !== number || entry.previous !== head.hash) {
      return report(`entry ${number} does not follow the one before it`);
    }
    const digest = await subtle.digest('SHA-256', new TextEncoder().encode(entryText(entry)));
    if (hexOf(digest) !== entry.hash) return report(`entry ${number} does not have the hash of its fields`);
    head = { entry: number, hash: entry.hash };
    sawKept ||= entry.hash === kept;
  }
  return report(sawKept ? undefined : 'no entry has the kept hash: the log was rewritten or cut');
}

function hexOf(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
