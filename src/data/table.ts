// Tables in files, read by DuckDB: columns as arrays, vectors as a source that streams.

import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DataError, InvalidArgumentError } from '../core/errors.ts';
import type { RowSource } from '../core/matrix.ts';
import { defaultPoolSize } from '../core/parallel.ts';
import type { RunOptions } from '../core/progress.ts';
import { stageArrow } from './arrow-read.ts';
import { describeColumn, type TableColumn } from './column-type.ts';
import { type Database, type DatabaseOptions, openDatabase, quoteIdentifier } from './duckdb.ts';
import { requireFile, scanOf, type TableFormat, tableFormatOf } from './format.ts';
import { type TemporaryDirectory, temporaryDirectory } from './temporary.ts';
import { vectorSource } from './vector-source.ts';

export interface OpenTableOptions extends DatabaseOptions {
  /** Cancels opening, and every later read of the table. */
  signal?: AbortSignal | undefined;
  /** Format of standard input. Default: JSON lines when its first character is "{", else CSV. */
  stdinFormat?: 'csv' | 'jsonl';
  /**
   * Columns of a CSV file whose fields are text even where they look like numbers, so that "007" and "0x1f" stay what they are. A name
   * that is no column is passed over. Default: none.
   */
  textColumns?: readonly string[];
  /** What the path "-" reads. Default: standard input. */
  stdin?: AsyncIterable<Uint8Array>;
}

/** A table that is open. Close it: it holds memory and scratch files. */
export interface Table extends AsyncDisposable {
  /** As given to `openTable`. */
  readonly path: string;
  readonly columns: readonly TableColumn[];
  readonly rowCount: number;
  /** Numbers or booleans (0, 1) of a column, shape (rowCount,). @throws {DataError} a NULL (with its row), no number, no such column */
  readNumbers(name: string): Promise<Float64Array>;
  /** A column as text, shape (rowCount,); null where it is NULL. */
  readText(name: string): Promise<(string | null)[]>;
  /** A column of numbers or booleans as numbers, any other as text. */
  readColumn(name: string): Promise<Float64Array | (string | null)[]>;
  /**
   * Vectors of a column of lists, of a text column that holds lists ("[1, 2]"), or of several numeric columns side by side.
   *
   * Each pass reads the file again, in its order, and holds one block and DuckDB's pages only: a table greater than memory passes.
   *
   * @returns shape (rowCount, width), rounded to float32; its passes throw {DataError} at a NULL, NaN, infinity or list of
   *   another length, naming the row, counted from 0
   */
  rowSource(columns: string | readonly string[], options?: RunOptions): Promise<RowSource>;
  close(): Promise<void>;
}

/** What the writers of this folder need of a table beside its public face. */
export interface OpenedTable extends Table {
  readonly database: Database;
  /** FROM item with the rows. */
  readonly from: string;
  readonly format: TableFormat;
}

/**
 * Opens a table: Parquet, CSV (also .tsv, .csv.gz), JSON lines, JSON, Arrow IPC/Feather, or "-" for CSV or JSON lines on standard input.
 *
 * Parquet is read where it is. Text and Arrow are first brought into a scratch file, so that types are those of all rows and
 * passes do not parse again.
 *
 * @throws {DataError} the file is missing, empty or damaged
 * @throws {UnsupportedError} unknown extension
 * @throws {MissingDependencyError} `@duckdb/node-api` (or `apache-arrow` for Arrow) is not installed
 *
 * @example
 * await using table = await openTable('corpus.parquet');
 * const source = await table.rowSource('embedding');
 * const losses = await table.readNumbers('loss');
 */
export async function openTable(path: string, options: OpenTableOptions = {}): Promise<Table> {
  return openTableInternal('openTable', path, options);
}

export async function openTableInternal(
  where: string,
  path: string,
  { signal, stdinFormat, stdin, textColumns = [], ...databaseOptions }: OpenTableOptions,
): Promise<OpenedTable> {
  signal?.throwIfAborted();
  let format: TableFormat = path === '-' ? 'csv' : tableFormatOf(where, path);
  if (path !== '-') await requireFile(where, path);
  // Text is parsed faster by more threads; Parquet is not worth the pages they hold.
  const threads = databaseOptions.threads ?? (format === 'parquet' ? 1 : defaultPoolSize());
  const database = await openDatabase({ ...databaseOptions, threads });
  let scratch: TemporaryDirectory | undefined;
  try {
    let file = path;
    if (path === '-') {
      scratch = await temporaryDirectory();
      const saved = await saveInput(stdin ?? process.stdin, scratch.path, stdinFormat, signal);
      await requireFile(`${where}: standard input`, saved.path);
      ({ path: file, format } = saved);
    }
    let from = 'stage.main.data';
    if (format === 'arrow') await stageArrow(database, file, signal);
    else if (format === 'parquet') from = scanOf(file, format);
    else {
      const scan =
        format === 'csv' && textColumns.length > 0
          ? await csvScan(database, file, textColumns, signal)
          : scanOf(file, format);
      await database.run(`CREATE TABLE ${from} AS SELECT * FROM ${scan}`, [], signal);
    }

    const described = await database.rows(`DESCRIBE SELECT * FROM ${from}`, [], signal);
    const columns = described.map((row) => describeColumn(String(row.column_name), String(row.column_type)));
    const [{ n }] = await database.rows(`SELECT count(*)::DOUBLE AS n FROM ${from}`, [], signal);
    return new FileTable(path, columns, Number(n), database, from, format, signal);
  } catch (error) {
    await database.close();
    if (error instanceof DataError && error.message.startsWith('DuckDB: ')) {
      throw new DataError(`${where}: ${path} cannot be read as ${format}. ${error.message}`, {
        cause: error.cause,
      });
    }
    throw error;
  } finally {
    await scratch?.remove();
  }
}

/** The FROM item of a CSV file with some columns as text: DuckDB refuses names that the file has not. */
async function csvScan(
  database: Database,
  file: string,
  textColumns: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string> {
  const described = await database.rows(`DESCRIBE SELECT * FROM ${scanOf(file, 'csv')}`, [], signal);
  const known = described.map((row) => String(row.column_name)).filter((name) => textColumns.includes(name));
  return scanOf(file, 'csv', known);
}

class FileTable implements OpenedTable {
  readonly path: string;
  readonly columns: readonly TableColumn[];
  readonly rowCount: number;
  readonly database: Database;
  readonly from: string;
  readonly format: TableFormat;
  private readonly signal: AbortSignal | undefined;

  constructor(
    path: string,
    columns: readonly TableColumn[],
    rowCount: number,
    database: Database,
    from: string,
    format: TableFormat,
    signal: AbortSignal | undefined,
  ) {
    this.path = path;
    this.columns = columns;
    this.rowCount = rowCount;
    this.database = database;
    this.from = from;
    this.format = format;
    this.signal = signal;
  }

  async readNumbers(name: string): Promise<Float64Array> {
    const { kind, type } = this.column('readNumbers', name);
    if (kind !== 'number' && kind !== 'boolean') {
      throw new DataError(
        `readNumbers: column "${name}" of ${this.path} has type ${type}; expected numbers. Read it with readText or rowSource.`,
      );
    }
    const numbers = new Float64Array(this.rowCount);
    let done = 0;
    const sql = `SELECT CAST(${quoteIdentifier(name)} AS DOUBLE) FROM ${this.from}`;
    for await (const chunk of this.database.stream(sql, [], this.signal)) {
      const first = done;
      numbers.set(
        chunk.doubles(0, (row) => {
          throw new DataError(
            `readNumbers: column "${name}" of ${this.path} is NULL at row ${first + row}; expected a number. Fill or drop that row.`,
          );
        }),
        done,
      );
      done += chunk.rows;
    }
    return numbers;
  }

  async readText(name: string): Promise<(string | null)[]> {
    this.column('readText', name);
    const texts: (string | null)[] = [];
    const sql = `SELECT CAST(${quoteIdentifier(name)} AS VARCHAR) FROM ${this.from}`;
    for await (const chunk of this.database.stream(sql, [], this.signal)) {
      for (const text of chunk.values(0)) texts.push(text as string | null);
    }
    return texts;
  }

  readColumn(name: string): Promise<Float64Array | (string | null)[]> {
    const { kind } = this.column('readColumn', name);
    return kind === 'number' || kind === 'boolean' ? this.readNumbers(name) : this.readText(name);
  }

  async rowSource(names: string | readonly string[], options: RunOptions = {}): Promise<RowSource> {
    const columns = [names].flat().map((name) => this.column('rowSource', name));
    if (columns.length === 0) {
      throw new InvalidArgumentError('rowSource: no columns; expected one of vectors, or numeric ones.');
    }
    return vectorSource(this, columns, { ...options, signal: options.signal ?? this.signal });
  }

  close(): Promise<void> {
    return this.database.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private column(where: string, name: string): TableColumn {
    const column = this.columns.find((candidate) => candidate.name === name);
    if (column) return column;
    const known = this.columns.slice(0, 40).map((c) => `${c.name} ${c.type}`);
    const more = this.columns.length > 40 ? ` and ${this.columns.length - 40} more` : '';
    throw new DataError(
      `${where}: ${this.path} has no column "${name}"; expected one of ${known.join(', ')}${more}.`,
    );
  }
}

/** Brings a stream into a file; a table is passed over more than once. */
async function saveInput(
  input: AsyncIterable<Uint8Array>,
  directory: string,
  format: 'csv' | 'jsonl' | undefined,
  signal: AbortSignal | undefined,
): Promise<{ path: string; format: 'csv' | 'jsonl' }> {
  const path = join(directory, 'stdin');
  let head = '';
  async function* watched() {
    for await (const part of input) {
      if (head.trim() === '') head = new TextDecoder().decode(part.subarray(0, 4096));
      yield part;
    }
  }
  await pipeline(Readable.from(watched()), createWriteStream(path), signal ? { signal } : {}).catch(
    (error) => {
      signal?.throwIfAborted(); // pipeline rejects with an AbortError of its own
      throw error;
    },
  );
  return { path, format: format ?? (/^\s*\{/.test(head) ? 'jsonl' : 'csv') };
}
