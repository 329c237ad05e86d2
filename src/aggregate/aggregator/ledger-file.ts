// The durable ledger: one SQLite file in which a charge, its answer and its audit entry are one transaction.

import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { DataError } from '../../core/errors.ts';
import {
  type AuditEntry,
  doubleBytes,
  doubleFrom,
  entryHash,
  type LogHead,
  NO_DIGEST,
} from './audit-chain.ts';
import type { EarlierBag } from './check-entry.ts';
import { littleEndian } from './label-store.ts';
import {
  type LedgerParameters,
  parametersDigest,
  parametersText,
  parseParameters,
  peopleDigest,
  requireSameParameters,
} from './parameters.ts';

/**
 * Tables, and triggers that forbid to change or remove what is written. Triggers stop mistakes; who may write the file can drop them, and is caught by the chain of hashes and a kept head.
 * Everything an answer adds has the same length whatever its value: means are eight bytes, never SQLite's short integers.
 */
const SCHEMA = `
CREATE TABLE parameter (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE entry (
  entry INTEGER PRIMARY KEY, time INTEGER NOT NULL, actor TEXT NOT NULL, kind TEXT NOT NULL, stage TEXT NOT NULL, units INTEGER NOT NULL,
  charged INTEGER NOT NULL, repeated INTEGER NOT NULL, reason TEXT NOT NULL, query BLOB NOT NULL, answer BLOB NOT NULL, hash BLOB NOT NULL
) STRICT;
CREATE TABLE bag (
  entry INTEGER NOT NULL REFERENCES entry (entry), position INTEGER NOT NULL,
  members BLOB, mean BLOB,            -- of a bag that was charged
  of_entry INTEGER, of_position INTEGER, -- of a bag whose earlier answer was repeated
  PRIMARY KEY (entry, position)
) STRICT, WITHOUT ROWID;
${['parameter', 'entry', 'bag']
  .flatMap((table) =>
    ['UPDATE', 'DELETE'].map(
      (verb) =>
        `CREATE TRIGGER ${table}_no_${verb.toLowerCase()} BEFORE ${verb} ON ${table} BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;`,
    ),
  )
  .join('\n')}
CREATE TRIGGER entry_in_order BEFORE INSERT ON entry WHEN NEW.entry <> (SELECT coalesce(max(entry), -1) + 1 FROM entry)
  BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER bag_once BEFORE INSERT ON bag WHEN EXISTS (SELECT 1 FROM bag WHERE entry = NEW.entry AND position = NEW.position)
  BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
`;

/** A bag as the ledger holds it. */
export type StoredBag = { members: Uint8Array; mean: number } | { ofEntry: number; ofPosition: number };

/** An entry with its bags, in the order of the query. */
export interface StoredEntry {
  entry: AuditEntry;
  bags: StoredBag[];
}

/** An entry before it has its place in the chain. */
export type NewEntry = Omit<AuditEntry, 'entry' | 'previous' | 'hash'>;

/** The ledger of a running aggregator: it alone writes the file. */
export class LedgerFile {
  private readonly db: DatabaseSync;
  private readonly lock: DatabaseSync;
  private readonly insertEntry: StatementSync;
  private readonly insertBag: StatementSync;
  private last: LogHead = { entry: -1, hash: NO_DIGEST };

  private constructor(db: DatabaseSync, lock: DatabaseSync) {
    this.db = db;
    this.lock = lock;
    this.insertEntry = db.prepare('INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.insertBag = db.prepare('INSERT INTO bag VALUES (?, ?, ?, ?, ?, ?)');
  }

  /**
   * Opens a ledger, or makes one.
   *
   * @param time - for the entry that says it was made
   * @throws {DataError} another process has it open, it was made for something else, or the file is no ledger
   */
  static open(
    path: string,
    parameters: LedgerParameters,
    people: Uint32Array | undefined,
    time: number,
  ): LedgerFile {
    const lock = takeLock(path);
    let db: DatabaseSync | undefined;
    try {
      db = openDatabase(path, false);
      // FULL: a commit has reached the disk when it returns, also if power fails then.
      db.exec(
        'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON;',
      );
      const isNew = db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()!.n === 0;
      // All or nothing: a crash on the way leaves an empty file, which is a new ledger again.
      if (isNew) createTables(db, parameters, people);
      else {
        requireSameParameters(readParameters(db), parameters);
        if (peopleDigest(readPeople(db)) !== parameters.people) {
          throw new DataError(
            'openAggregator: the people in the ledger are not those it was made for; expected a ledger as an aggregator left it. Verify it, and go back to a copy that verifies.',
          );
        }
      }
      const file = new LedgerFile(db, lock);
      const head = db.prepare('SELECT entry, hash FROM entry ORDER BY entry DESC LIMIT 1').get();
      if (head) file.last = { entry: Number(head.entry), hash: hex(head.hash as Uint8Array) };
      file.transaction(() => file.append(openingEntry(head ? 'opened' : 'created', parameters, time), []));
      return file;
    } catch (error) {
      db?.close();
      lock.close();
      throw error;
    }
  }

  /** The last entry. */
  get head(): LogHead {
    return this.last;
  }

  /** Runs `work` in one transaction. When this returns, all that `work` appended is on the disk; when it throws, nothing of it counts and the file must be opened anew. */
  transaction(work: () => void): void {
    const before = this.last;
    try {
      this.db.exec('BEGIN IMMEDIATE');
      work();
      this.db.exec('COMMIT');
    } catch (error) {
      this.last = before;
      // A failed COMMIT may have ended the transaction or not.
      if (this.db.isTransaction) this.db.exec('ROLLBACK');
      throw error;
    }
  }

  /** Adds an entry and its bags to the running transaction. @returns its place in the chain */
  append(fields: NewEntry, bags: readonly StoredBag[]): LogHead {
    const entry = this.last.entry + 1;
    const hash = entryHash({ ...fields, entry, previous: this.last.hash });
    const { time, actor, kind, stage, units, charged, repeated, reason, query, answer } = fields;
    this.insertEntry.run(
      ...[entry, time, actor, kind, stage, units, charged, repeated, reason],
      ...[bytesOf(query), bytesOf(answer), bytesOf(hash)],
    );
    bags.forEach((bag, position) => {
      if ('members' in bag)
        this.insertBag.run(entry, position, bag.members, doubleBytes(bag.mean), null, null);
      else this.insertBag.run(entry, position, null, null, bag.ofEntry, bag.ofPosition);
    });
    this.last = { entry, hash };
    return this.last;
  }

  /** Entries from number `from` on, with their bags. */
  read(from: number, limit?: number): Generator<StoredEntry> {
    return readEntries(this.db, from, limit);
  }

  /** Looks up a charged bag. */
  finder(): ReturnType<typeof findBag> {
    return findBag(this.db);
  }

  close(): void {
    this.db.close();
    this.lock.close();
  }
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

/**
 * Holds a lock beside the ledger for as long as the process lives: the operating system drops it whatever ends the process, so that no stale lock stays after a crash.
 * Not on the ledger itself, which auditors may read meanwhile.
 */
function takeLock(path: string): DatabaseSync {
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(`${path}-lock`, { timeout: 0 });
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock?.close();
    throw new DataError(
      `openAggregator: the ledger ${path} cannot be locked (${(error as Error).message}); expected that no other process has it open. Stop the other aggregator first.`,
      { cause: error },
    );
  }
}

function openDatabase(path: string, readOnly: boolean): DatabaseSync {
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

function createTables(db: DatabaseSync, parameters: LedgerParameters, people: Uint32Array | undefined): void {
  db.exec('BEGIN IMMEDIATE');
  db.exec(SCHEMA);
  const insert = db.prepare('INSERT INTO parameter VALUES (?, ?)');
  insert.run('parameters', parametersText(parameters));
  if (people) insert.run('people', littleEndian(people));
  db.exec('COMMIT');
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

function openingEntry(kind: 'created' | 'opened', parameters: LedgerParameters, time: number): NewEntry {
  return {
    ...{ time, actor: 'owner', kind, stage: '', units: 0, charged: 0, repeated: 0, reason: '' },
    query: parametersDigest(parameters),
    answer: NO_DIGEST,
  };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, 'hex');
}
