// Reads the file of a ledger, whoever writes it meanwhile.

import { DatabaseSync } from 'node:sqlite';
import { DataError } from '../../core/errors.ts';
import { type AuditEntry, doubleFrom, NO_DIGEST } from './audit-chain.ts';
import type { EarlierBag } from './check-entry.ts';
import { type LedgerParameters, parseParameters } from './parameters.ts';

/** A bag as the ledger holds it. */
export type StoredBag = { members: Uint8Array; mean: number } | { ofEntry: number; ofPosition: number };

/** An entry with its bags, in the order of the query. */
export interface StoredEntry {
  entry: AuditEntry;
  bags: StoredBag[];
}

/** Opens an existing ledger to read it; a running aggregator may go on writing. @throws {DataError} it cannot be opened */
export function openForReading(path: string): DatabaseSync {
  return openDatabase(path, true);
}

/** @throws {DataError} the file is no ledger */
export function readParameters(db: DatabaseSync): LedgerParameters {
  return parseParameters(readParameter(db, 'parameters'));
}

/** Person of each row; undefined when every row is its own. */
export function readPeople(db: DatabaseSync): Uint32Array | undefined {
  const bytes = readParameter(db, 'people');
  if (bytes === undefined) return undefined;
  const view =
    bytes instanceof Uint8Array ? new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) : undefined;
  return Uint32Array.from({ length: (view?.byteLength ?? 0) / 4 }, (_, i) => view!.getUint32(4 * i, true));
}

/** Entries with their bags, in order, as they stand in the file: checked by nobody yet. */
export function* readEntries(db: DatabaseSync, from: number, limit: number = -1): Generator<StoredEntry> {
  const before = db.prepare('SELECT hash FROM entry WHERE entry < ? ORDER BY entry DESC LIMIT 1').get(from);
  const entries = db.prepare('SELECT * FROM entry WHERE entry >= ? ORDER BY entry LIMIT ?');
  // Two walks side by side: a statement for each entry would take most of the time.
  const bags = db
    .prepare('SELECT * FROM bag WHERE entry >= ? ORDER BY entry, position')
    .iterate(from) as unknown as Iterator<BagRow>;
  let previous = before ? hex(before.hash as Uint8Array) : NO_DIGEST;
  let next = bags.next();
  try {
    for (const row of entries.iterate(from, limit)) {
      const { query, answer, hash, ...fields } = row as unknown as EntryRow;
      const entry = { ...fields, query: hex(query), answer: hex(answer), previous, hash: hex(hash) };
      previous = entry.hash;
      const own: StoredBag[] = [];
      for (; !next.done && next.value.entry <= entry.entry; next = bags.next()) {
        if (next.value.entry === entry.entry) own.push(bagFrom(next.value));
      }
      yield { entry, bags: own };
    }
  } finally {
    // A statement that is not at its end keeps its state of the file alive.
    bags.return?.();
  }
}

/** Looks up charged bags with the stage and ε of their entries. */
export function findBag(db: DatabaseSync): (ofEntry: number, ofPosition: number) => EarlierBag | undefined {
  const find = db.prepare(
    'SELECT members, mean, stage, units FROM bag JOIN entry USING (entry) WHERE entry = ? AND position = ? AND members IS NOT NULL',
  );
  return (ofEntry, ofPosition) => {
    const row = find.get(ofEntry, ofPosition) as unknown as
      | (Omit<EarlierBag, 'mean'> & { mean: Uint8Array })
      | undefined;
    return row && { ...row, mean: doubleFrom(row.mean) };
  };
}

/** Bags without an entry: none, in a sound ledger. */
export function countOrphans(db: DatabaseSync): number {
  const count = db
    .prepare('SELECT count(*) AS n FROM bag WHERE entry NOT IN (SELECT entry FROM entry)')
    .get();
  return Number(count!.n);
}

type EntryRow = Omit<AuditEntry, 'query' | 'answer' | 'previous' | 'hash'> &
  Record<'query' | 'answer' | 'hash', Uint8Array>;

interface BagRow {
  entry: number;
  members: Uint8Array | null;
  mean: Uint8Array | null;
  of_entry: number | null;
  of_position: number | null;
}

function bagFrom({ members, mean, of_entry, of_position }: BagRow): StoredBag {
  if (members && mean) return { members, mean: doubleFrom(mean) };
  return { ofEntry: of_entry ?? -1, ofPosition: of_position ?? 0 };
}

/** @throws {DataError} it cannot be opened */
export function openDatabase(path: string, readOnly: boolean): DatabaseSync {
  try {
    const db = new DatabaseSync(path, { readOnly });
    // The file is looked at only when something is read.
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    return db;
  } catch (error) {
    throw new DataError(
      `ledger: ${path} cannot be opened (${(error as Error).message}); expected an SQLite file of an aggregator.`,
      { cause: error },
    );
  }
}

function readParameter(db: DatabaseSync, name: string): unknown {
  try {
    return db.prepare('SELECT value FROM parameter WHERE name = ?').get(name)?.value;
  } catch (error) {
    throw new DataError('ledger: the file holds other tables; expected a ledger of an aggregator.', {
      cause: error,
    });
  }
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
