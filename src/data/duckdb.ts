// The one door to DuckDB. Nothing else imports it; it is loaded when the first table is opened.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as Api from '@duckdb/node-api';
import type Bindings from '@duckdb/node-bindings';
import { DataError, MissingDependencyError, ProvablyError } from '../core/errors.ts';
import { temporaryDirectory } from './temporary.ts';

export interface DatabaseOptions {
  /** Memory DuckDB may use before it spills to disk or gives up: "400MB". Default "400MB". */
  memoryLimit?: string;
  /** Threads of DuckDB. Default 1 for Parquet, where each holds up to 256 MB of pages; for text as many as the machine offers. */
  threads?: number;
}

export type SqlValue = string | number | bigint | boolean | null;

/** One result vector at a time; its memory is DuckDB's, and valid while the chunk is held. */
export interface Chunk {
  readonly rows: number;
  /** Numbers of a column of SQL type DOUBLE, shape (rows,). @param onNull - called with the row of a NULL */
  doubles(column: number, onNull: (row: number) => void): Float64Array;
  /** Entries of a column of type FLOAT[] or FLOAT[n]. */
  lists(column: number): ListVector;
  /** Values of a column as JavaScript values; NULL is null. */
  values(column: number): unknown[];
}

/** Lists of float32 values that lie behind each other in `items`. */
export interface ListVector {
  items: Float32Array;
  /** Start and length of the list of a row; undefined when it is NULL. */
  at(row: number): { start: number; length: number } | undefined;
  /** False when some entry of `items` is NULL. */
  complete: boolean;
  itemValid(index: number): boolean;
}

/** A DuckDB in memory with scratch space on disk. */
export interface Database {
  /** Runs a statement to its end. */
  run(sql: string, values?: SqlValue[], signal?: AbortSignal): Promise<void>;
  /** All rows of a small result. */
  rows(sql: string, values?: SqlValue[], signal?: AbortSignal): Promise<Record<string, unknown>[]>;
  /** The result in chunks of at most 2048 rows, in order; reads one chunk ahead. Passes may overlap. */
  stream(sql: string, values?: SqlValue[], signal?: AbortSignal): AsyncIterable<Chunk>;
  /** Opens a bulk writer to a table of the schema `stage`. */
  appender(table: string): Promise<Appender>;
  close(): Promise<void>;
}

/** Writes whole columns into a table. */
export interface Appender {
  /** Most rows `append` takes. */
  readonly maxRows: number;
  append(rows: number, fill: (vectors: VectorWriter) => void): void;
  close(): void;
}

/** Fills the columns of one chunk. */
export interface VectorWriter {
  /** Copies fixed-width numbers into a column, or into the entries of a fixed-size array column. */
  numbers(column: number, data: ArrayBufferView, options?: { array?: boolean }): void;
  /** Copies lists of numbers: row i has entries ends[i−1] … ends[i] of `items`. */
  lists(column: number, ends: ArrayLike<number>, items: ArrayBufferView & { length: number }): void;
  /** Marks the rows of a column that hold something; all do, unless called. */
  validity(column: number, valid: (row: number) => boolean): void;
  /** Any values, one by one. */
  values(column: number, values: readonly (string | boolean | null)[]): void;
}

interface DuckDb {
  api: typeof Api;
  /** The raw bindings under the API: they reach vectors without a JavaScript value per entry. */
  raw: typeof Bindings;
}

let loaded: Promise<DuckDb> | undefined;

/** @throws {MissingDependencyError} `@duckdb/node-api` is not installed */
export async function openDatabase({
  memoryLimit = '400MB',
  threads = 1,
}: DatabaseOptions = {}): Promise<Database> {
  loaded ??= load();
  const duck = await loaded;
  const scratch = await temporaryDirectory();
  try {
    const instance = await duck.api.DuckDBInstance.create(':memory:', {
      memory_limit: memoryLimit,
      threads: String(threads),
      temp_directory: join(scratch.path, 'spill'),
      // Passes over a file would fill the memory limit with pages of the last pass.
      enable_external_file_cache: 'false',
      // Pages it frees go back to the system at once: measured 0.8 GB instead of 1.1 GB for the whole process.
      allocator_background_threads: 'true',
    });
    const connection = await instance.connect();
    await connection.run(`ATTACH '${join(scratch.path, 'stage.duckdb').replaceAll("'", "''")}' AS stage`);
    return new DuckDatabase(duck, instance, connection, () => scratch.remove());
  } catch (error) {
    await scratch.remove();
    throw asDataError(error);
  }
}

async function load(): Promise<DuckDb> {
  try {
    const api = await import('@duckdb/node-api');
    // Resolved from where the API is, so that both are the same addon.
    const fromApi = createRequire(import.meta.resolve('@duckdb/node-api'));
    return { api, raw: fromApi('@duckdb/node-bindings') };
  } catch (cause) {
    loaded = undefined;
    throw new MissingDependencyError(
      'openTable: tables need the package @duckdb/node-api, which could not be loaded. Install it: npm install @duckdb/node-api',
      { cause },
    );
  }
}

class DuckDatabase implements Database {
  private readonly duck: DuckDb;
  private readonly instance: Api.DuckDBInstance;
  private readonly main: Api.DuckDBConnection;
  private readonly cleanUp: () => Promise<void>;
  private closed = false;

  constructor(
    duck: DuckDb,
    instance: Api.DuckDBInstance,
    main: Api.DuckDBConnection,
    cleanUp: () => Promise<void>,
  ) {
    this.duck = duck;
    this.instance = instance;
    this.main = main;
    this.cleanUp = cleanUp;
  }

  async run(sql: string, values: SqlValue[] = [], signal?: AbortSignal): Promise<void> {
    await this.guarded(signal, (connection) => connection.run(sql, values));
  }

  rows(sql: string, values: SqlValue[] = [], signal?: AbortSignal): Promise<Record<string, unknown>[]> {
    return this.guarded(signal, async (connection) => {
      const reader = await connection.runAndReadAll(sql, values);
      return reader.getRowObjectsJS();
    });
  }

  async *stream(sql: string, values: SqlValue[] = [], signal?: AbortSignal): AsyncIterable<Chunk> {
    this.requireOpen();
    signal?.throwIfAborted();
    const connection = await this.instance.connect(); // its own: a connection holds one open result
    const interrupt = () => connection.interrupt();
    signal?.addEventListener('abort', interrupt);
    let next: Promise<Api.DuckDBDataChunk | null> | undefined;
    try {
      const result = await connection.stream(sql, values);
      next = result.fetchChunk();
      for (;;) {
        const chunk = await next;
        signal?.throwIfAborted();
        if (!chunk || chunk.rowCount === 0) {
          next = undefined;
          return;
        }
        next = result.fetchChunk(); // DuckDB reads on in its own thread while this chunk is used
        next.catch(() => {}); // reported by the await above, if anyone still asks
        yield new DuckChunk(this.duck, chunk);
      }
    } catch (error) {
      signal?.throwIfAborted();
      throw asDataError(error);
    } finally {
      signal?.removeEventListener('abort', interrupt);
      connection.interrupt();
      await next?.catch(() => {}); // nothing may use the connection while it is closed
      connection.closeSync();
    }
  }

  async appender(table: string): Promise<Appender> {
    this.requireOpen();
    const { api, raw } = this.duck;
    const shape = await this.main.run(`SELECT * FROM stage.main.${quoteIdentifier(table)} LIMIT 0`);
    const types = shape.columnTypes();
    const appender = await this.main.createAppender(table, 'main', 'stage');
    return {
      maxRows: raw.vector_size(),
      append(rows, fill) {
        const chunk = api.DuckDBDataChunk.create(types, rows);
        fill(new DuckVectorWriter(raw, chunk));
        appender.appendDataChunk(chunk);
      },
      close() {
        appender.flushSync();
        appender.closeSync();
      },
    };
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.main.closeSync();
    this.instance.closeSync();
    await this.cleanUp();
  }

  private async guarded<T>(
    signal: AbortSignal | undefined,
    use: (connection: Api.DuckDBConnection) => Promise<T>,
  ): Promise<T> {
    this.requireOpen();
    signal?.throwIfAborted();
    const interrupt = () => this.main.interrupt();
    signal?.addEventListener('abort', interrupt);
    try {
      return await use(this.main);
    } catch (error) {
      signal?.throwIfAborted();
      throw asDataError(error);
    } finally {
      signal?.removeEventListener('abort', interrupt);
    }
  }

  private requireOpen(): void {
    if (this.closed) throw new DataError('Table: it is closed; expected an open table. Open it again.');
  }
}

class DuckChunk implements Chunk {
  readonly rows: number;
  private readonly raw: typeof Bindings;
  private readonly chunk: Api.DuckDBDataChunk;

  constructor({ raw }: DuckDb, chunk: Api.DuckDBDataChunk) {
    this.raw = raw;
    this.chunk = chunk;
    this.rows = chunk.rowCount;
  }

  doubles(column: number, onNull: (row: number) => void): Float64Array {
    const vector = this.raw.data_chunk_get_vector(this.chunk.chunk, column);
    const valid = this.validity(vector, this.rows);
    if (valid) for (let row = 0; row < this.rows; row++) if (!isSet(valid, row)) onNull(row);
    const bytes = this.raw.vector_get_data(vector, this.rows * 8);
    return new Float64Array(bytes.buffer, bytes.byteOffset, this.rows);
  }

  lists(column: number): ListVector {
    const { raw, rows } = this;
    const vector = raw.data_chunk_get_vector(this.chunk.chunk, column);
    const valid = this.validity(vector, rows);
    const size = raw.list_vector_get_size(vector);
    const child = raw.list_vector_get_child(vector);
    const itemsValid = this.validity(child, size);
    const bytes = raw.vector_get_data(vector, rows * 16);
    // (start, length) as 64-bit integers; a chunk holds fewer than 2³² entries, so the low words say it all.
    const entries = new Uint32Array(bytes.buffer, bytes.byteOffset, rows * 4);
    const data = size > 0 ? raw.vector_get_data(child, size * 4) : new Uint8Array(0);
    return {
      items: new Float32Array(data.buffer, data.byteOffset, size),
      at: (row) =>
        valid && !isSet(valid, row) ? undefined : { start: entries[4 * row], length: entries[4 * row + 2] },
      complete: !itemsValid,
      itemValid: (index) => !itemsValid || isSet(itemsValid, index),
    };
  }

  values(column: number): unknown[] {
    return this.chunk.getColumnValues(column);
  }

  /** Bit i of the bytes tells whether entry i is not NULL; undefined when none is. */
  private validity(vector: Bindings.Vector, count: number): Uint8Array | undefined {
    if (count === 0) return undefined;
    const bytes = this.raw.vector_get_validity(vector, Math.ceil(count / 64) * 8) as Uint8Array | null;
    if (!bytes) return undefined;
    for (let i = 0; i < count; i++) if (!isSet(bytes, i)) return bytes;
    return undefined;
  }
}

class DuckVectorWriter implements VectorWriter {
  private readonly raw: typeof Bindings;
  private readonly chunk: Api.DuckDBDataChunk;

  constructor(raw: typeof Bindings, chunk: Api.DuckDBDataChunk) {
    this.raw = raw;
    this.chunk = chunk;
  }

  numbers(column: number, data: ArrayBufferView, { array = false }: { array?: boolean } = {}): void {
    const vector = this.vector(column);
    this.copy(array ? this.raw.array_vector_get_child(vector) : vector, data);
  }

  lists(column: number, ends: ArrayLike<number>, items: ArrayBufferView & { length: number }): void {
    const vector = this.vector(column);
    this.raw.list_vector_reserve(vector, items.length);
    this.raw.list_vector_set_size(vector, items.length);
    this.copy(this.raw.list_vector_get_child(vector), items);
    const entries = new BigUint64Array(2 * ends.length);
    for (let row = 0; row < ends.length; row++) {
      const start = row > 0 ? ends[row - 1] : 0;
      entries[2 * row] = BigInt(start);
      entries[2 * row + 1] = BigInt(ends[row] - start);
    }
    this.copy(vector, entries);
  }

  validity(column: number, valid: (row: number) => boolean): void {
    const rows = this.chunk.rowCount;
    const bits = new Uint8Array(Math.ceil(rows / 64) * 8);
    for (let row = 0; row < rows; row++) if (valid(row)) bits[row >> 3] |= 1 << (row & 7);
    const vector = this.vector(column);
    this.raw.vector_ensure_validity_writable(vector);
    this.raw.copy_data_to_vector_validity(vector, 0, bits.buffer, 0, bits.byteLength);
  }

  values(column: number, values: readonly (string | boolean | null)[]): void {
    this.chunk.setColumnValues(column, values);
  }

  private vector(column: number): Bindings.Vector {
    return this.raw.data_chunk_get_vector(this.chunk.chunk, column);
  }

  private copy(vector: Bindings.Vector, data: ArrayBufferView): void {
    if (data.byteLength === 0) return;
    this.raw.copy_data_to_vector(vector, 0, data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  }
}

function isSet(bits: Uint8Array, i: number): boolean {
  return (bits[i >> 3] & (1 << (i & 7))) !== 0;
}

/** A name as SQL: quoted, so that any text is a name and nothing else. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as SQL literal. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** DuckDB's message as a DataError; errors that are ours already pass through. */
function asDataError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof ProvablyError) return error;
  const [first] = error.message.split('\n');
  const advice = /out of memory/i.test(first) ? ' Raise memoryLimit, or lower threads.' : '';
  return new DataError(`DuckDB: ${first}${advice}`, { cause: error });
}
