// Columns in memory on their way into a table.

import { DataError, InvalidArgumentError, ShapeError } from '../core/errors.ts';
import type { Matrix32, RowSource } from '../core/matrix.ts';
import { type Database, quoteIdentifier, type VectorWriter } from './duckdb.ts';

/** Fixed-width numbers; their array type becomes the type of the column. */
export type NumberColumn =
  | Float64Array
  | Float32Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array
  | BigInt64Array
  | BigUint64Array;

/** A column: numbers, text or booleans (null for NULL), or vectors as rows of a matrix or of a source. */
export type ColumnData =
  | NumberColumn
  | readonly (string | boolean | null)[]
  | readonly number[]
  | Matrix32
  | RowSource;

const SQL_TYPES: Record<string, string> = {
  Float64Array: 'DOUBLE',
  Float32Array: 'FLOAT',
  Int32Array: 'INTEGER',
  Uint32Array: 'UINTEGER',
  Int16Array: 'SMALLINT',
  Uint16Array: 'USMALLINT',
  Int8Array: 'TINYINT',
  Uint8Array: 'UTINYINT',
  BigInt64Array: 'BIGINT',
  BigUint64Array: 'UBIGINT',
};

interface StagedColumn {
  name: string;
  sql: string;
  length: number;
  /** Vectors come from here, in blocks; everything else is at hand. */
  source?: RowSource;
  /** Writes rows start … start + rows − 1. */
  write(vectors: VectorWriter, column: number, start: number, rows: number): void;
}

/**
 * Brings columns into the table stage.main.‹table›: a new one, or at the end of one that holds columns of these names and kinds.
 *
 * @returns their common number of rows
 * @throws {ShapeError} columns differ in length
 * @throws {InvalidArgumentError} a column is of no known kind, or two are streamed
 */
export async function stageColumns(
  where: string,
  database: Database,
  table: string,
  columns: Readonly<Record<string, ColumnData>>,
  signal: AbortSignal | undefined,
  { more = false }: { more?: boolean } = {},
): Promise<number> {
  const plan = Object.entries(columns).map(([name, data]) => stagedColumn(where, name, data));
  if (plan.length === 0) throw new InvalidArgumentError(`${where}: no columns; expected at least one.`);
  const [{ name: firstName, length: rows }] = plan;
  for (const { name, length } of plan) {
    if (length !== rows) {
      throw new ShapeError(
        `${where}: column "${name}" has ${length} rows, "${firstName}" has ${rows}; expected equal lengths.`,
      );
    }
  }
  const streamed = plan.filter(({ source }) => source);
  if (streamed.length > 1) {
    throw new InvalidArgumentError(
      `${where}: ${streamed.map(({ name }) => `"${name}"`).join(' and ')} are streamed; expected one streamed column at most.`,
    );
  }
  if (!more) {
    const list = plan.map(({ name, sql }) => `${quoteIdentifier(name)} ${sql}`).join(', ');
    await database.run(`CREATE TABLE stage.main.${quoteIdentifier(table)} (${list})`, [], signal);
  }
  const appender = await database.appender(table);
  const append = (
    start: number,
    count: number,
    block?: { start: number; data: Float32Array; cols: number },
  ) => {
    for (let at = start; at < start + count; at += appender.maxRows) {
      signal?.throwIfAborted();
      const size = Math.min(appender.maxRows, start + count - at);
      appender.append(size, (vectors) => {
        for (const [j, column] of plan.entries()) {
          if (column.source && block) {
            const from = (at - block.start) * block.cols;
            vectors.numbers(j, block.data.subarray(from, from + size * block.cols), { array: true });
          } else column.write(vectors, j, at, size);
        }
      });
    }
  };
  const [only] = streamed;
  if (only?.source) {
    for await (const { start, points } of only.source.blocks()) {
      append(start, points.rows, { start, data: points.data, cols: points.cols });
    }
  } else append(0, rows);
  appender.close();
  return rows;
}

function stagedColumn(where: string, name: string, data: ColumnData): StagedColumn {
  if (ArrayBuffer.isView(data)) {
    const sql = SQL_TYPES[data.constructor.name];
    if (sql === undefined) throw unknownKind(where, name);
    return {
      name,
      sql,
      length: data.length,
      write: (vectors, j, start, rows) => vectors.numbers(j, data.subarray(start, start + rows)),
    };
  }
  if (Array.isArray(data)) return arrayColumn(where, name, data);
  if (typeof data !== 'object' || data === null || !('cols' in data)) throw unknownKind(where, name);
  const { rows, cols } = data;
  if (!(cols >= 1))
    throw new DataError(`${where}: column "${name}" has vectors of width ${cols}; expected ≥ 1.`);
  const base = { name, sql: `FLOAT[${cols}]`, length: rows };
  if ('blocks' in data) return { ...base, source: data, write() {} };
  if (data.data.length !== rows * cols) {
    throw new ShapeError(
      `${where}: column "${name}" has ${data.data.length} entries; expected ${rows} × ${cols}.`,
    );
  }
  return {
    ...base,
    write: (vectors, j, start, count) =>
      vectors.numbers(j, data.data.subarray(start * cols, (start + count) * cols), { array: true }),
  };
}

function arrayColumn(where: string, name: string, data: readonly unknown[]): StagedColumn {
  const sample = data.find((value) => value !== null);
  if (typeof sample === 'number') {
    const numbers = Float64Array.from(data as number[]);
    if (data.some((value) => typeof value !== 'number')) throw mixedKinds(where, name, 'numbers');
    return stagedColumn(where, name, numbers);
  }
  const sql = typeof sample === 'boolean' ? 'BOOLEAN' : 'VARCHAR';
  const expected = typeof sample === 'boolean' ? 'boolean' : 'string';
  if (data.some((value) => value !== null && typeof value !== expected))
    throw mixedKinds(where, name, `${expected}s`);
  const values = data as readonly (string | boolean | null)[];
  return {
    name,
    sql,
    length: data.length,
    write: (vectors, j, start, rows) => vectors.values(j, values.slice(start, start + rows)),
  };
}

function unknownKind(where: string, name: string): InvalidArgumentError {
  return new InvalidArgumentError(
    `${where}: column "${name}" is of no known kind; expected a typed array, an array of text, booleans or numbers, a matrix, or a RowSource.`,
  );
}

function mixedKinds(where: string, name: string, kind: string): InvalidArgumentError {
  return new InvalidArgumentError(`${where}: column "${name}" mixes kinds of values; expected ${kind} only.`);
}
