// The durable ledger: one SQLite file in which a charge, its answer and its audit entry are one transaction.

import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { DataError } from '../../core/errors.ts';
import { type AuditEntry, doubleBytes, entryHash, type LogHead, NO_DIGEST } from './audit-chain.ts';
import { littleEndian } from './label-store.ts';
import {
  findBag,
  hex,
  openDatabase,
  readEntries,
  readParameters,
  readPeople,
  type StoredBag,
  type StoredEntry,
} from './ledger-reading.ts';
import {
  type LedgerParameters,
  parametersDigest,
  parametersText,
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
   * Opens a ledger, or makes one. Writes nothing to one that is there.
   *
   * @throws {DataError} another process has it open, it was made for something else, or the file is no ledger
   */
  static open(path: string, parameters: LedgerParameters, people: Uint32Array | undefined): LedgerFile {
    const lock = takeLock(path);
    let db: DatabaseSync | undefined;
    try {
      db = openDatabase(path, false);
      const isNew = db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()!.n === 0;
      if (!isNew) requireSameLedger(db, parameters);
      // FULL: a commit has reached the disk when it returns, also if power fails then.
      db.exec(
        'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON;',
      );
      // All or nothing: a crash on the way leaves an empty file, which is a new ledger again.
      if (isNew) createTables(db, parameters, people);
      const file = new LedgerFile(db, lock);
      const head = db.prepare('SELECT entry, hash FROM entry ORDER BY entry DESC LIMIT 1').get();
      if (head) file.last = { entry: Number(head.entry), hash: hex(head.hash as Uint8Array) };
      return file;
    } catch (error) {
      db?.close();
      lock.close();
      throw error;
    }
  }

  /** Enters that the ledger was made, or opened. */
  begin(parameters: LedgerParameters, time: number): void {
    const kind = this.last.entry < 0 ? 'created' : 'opened';
    this.transaction(() => this.append(openingEntry(kind, parameters, time), []));
  }

  /** Whether an entry has this hash, hexadecimal. O(entries). */
  holds(hash: string): boolean {
    return this.db.prepare('SELECT 1 FROM entry WHERE hash = ?').get(bytesOf(hash)) !== undefined;
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

function requireSameLedger(db: DatabaseSync, parameters: LedgerParameters): void {
  requireSameParameters(readParameters(db), parameters);
  if (peopleDigest(readPeople(db)) !== parameters.people) {
    throw new DataError(
      'openAggregator: the people in the ledger are not those it was made for; expected a ledger as an aggregator left it. Verify it, and go back to a copy that verifies.',
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

function openingEntry(kind: 'created' | 'opened', parameters: LedgerParameters, time: number): NewEntry {
  return {
    ...{ time, actor: 'owner', kind, stage: '', units: 0, charged: 0, repeated: 0, reason: '' },
    query: parametersDigest(parameters),
    answer: NO_DIGEST,
  };
}

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, 'hex');
}
