// Arrow IPC (file, stream, Feather 2) into a scratch table: batch by batch, numbers copied in bulk.

import { createReadStream } from 'node:fs';
import type * as Arrow from 'apache-arrow';
import { DataError, ProvablyError, UnsupportedError } from '../core/errors.ts';
import { loadArrow } from './arrow.ts';
import { type Appender, type Database, quoteIdentifier, type VectorWriter } from './duckdb.ts';

/** Creates the table stage.main.data with the rows of an Arrow file. */
export async function stageArrow(
  database: Database,
  path: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const arrow = await loadArrow();
  let appender: Appender | undefined;
  try {
    const reader = await arrow.RecordBatchReader.from(createReadStream(path));
    await reader.open();
    if (!reader.schema)
      throw new DataError(`openTable: ${path} holds no Arrow schema; expected Arrow IPC or Feather 2.`);
    const columns = reader.schema.fields.map((field) => columnPlan(arrow, path, field));
    const list = columns.map(({ name, sql }) => `${quoteIdentifier(name)} ${sql}`).join(', ');
    await database.run(`CREATE TABLE stage.main.data (${list})`, [], signal);
    appender = await database.appender('data');
    for await (const batch of reader) {
      signal?.throwIfAborted();
      for (let start = 0; start < batch.numRows; start += appender.maxRows) {
        const rows = Math.min(appender.maxRows, batch.numRows - start);
        appender.append(rows, (vectors) => {
          for (const [j, { write }] of columns.entries()) {
            const vector = batch.getChildAt(j)!.slice(start, start + rows);
            write(vectors, j, vector);
          }
        });
      }
    }
    appender.close();
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof ProvablyError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new DataError(
      `openTable: ${path} cannot be read as Arrow IPC: ${message}. Write it anew, or save it as Parquet.`,
      {
        cause: error,
      },
    );
  }
}

interface ColumnPlan {
  name: string;
  /** Type of the column in the scratch table. */
  sql: string;
  write(vectors: VectorWriter, column: number, vector: Arrow.Vector): void;
}

function columnPlan(arrow: typeof Arrow, path: string, { name, type }: Arrow.Field): ColumnPlan {
  const number = numberType(arrow, type);
  if (number) return { name, sql: number, write: writeNumbers };
  if (arrow.DataType.isBool(type)) return { name, sql: 'BOOLEAN', write: writeValues };
  const text = arrow.DataType.isDictionary(type) ? type.dictionary : type;
  if (arrow.DataType.isUtf8(text) || arrow.DataType.isLargeUtf8(text)) {
    return { name, sql: 'VARCHAR', write: writeValues };
  }
  if (arrow.DataType.isFixedSizeList(type) || arrow.DataType.isList(type)) {
    const item = numberType(arrow, type.children[0].type);
    if (item) return { name, sql: `${item}[]`, write: writeLists };
  }
  throw new UnsupportedError(
    `openTable: column "${name}" of ${path} has Arrow type ${type}; expected numbers, text, booleans, or lists of numbers. ` +
      'Drop that column, or save the table as Parquet.',
  );
}

function numberType(arrow: typeof Arrow, type: Arrow.DataType): string | undefined {
  if (arrow.DataType.isFloat(type)) {
    return {
      [arrow.Precision.HALF]: 'FLOAT',
      [arrow.Precision.SINGLE]: 'FLOAT',
      [arrow.Precision.DOUBLE]: 'DOUBLE',
    }[type.precision];
  }
  if (!arrow.DataType.isInt(type)) return undefined;
  const name = { 8: 'TINYINT', 16: 'SMALLINT', 32: 'INTEGER', 64: 'BIGINT' }[type.bitWidth];
  return `${type.isSigned ? '' : 'U'}${name}`;
}

function writeNumbers(vectors: VectorWriter, column: number, vector: Arrow.Vector): void {
  vectors.numbers(column, numbersOf(vector));
  if (vector.nullCount > 0) vectors.validity(column, (row) => vector.isValid(row));
}

function writeValues(vectors: VectorWriter, column: number, vector: Arrow.Vector): void {
  vectors.values(
    column,
    Array.from({ length: vector.length }, (_, row) => vector.get(row)),
  );
}

function writeLists(vectors: VectorWriter, column: number, vector: Arrow.Vector): void {
  const lists = Array.from({ length: vector.length }, (_, row) => vector.get(row) as Arrow.Vector | null);
  const parts = lists.map((list) => (list ? numbersOf(list) : undefined));
  let total = 0;
  const ends = parts.map((part) => {
    total += part?.length ?? 0;
    return total;
  });
  const sample = parts.find((part) => part !== undefined);
  const items = sample ? new (sample.constructor as Float64ArrayConstructor)(total) : new Float64Array(0);
  for (const [row, part] of parts.entries())
    if (part) items.set(part as Float64Array, ends[row] - part.length);
  vectors.lists(column, ends, items);
  if (lists.includes(null)) vectors.validity(column, (row) => lists[row] !== null);
}

/** Values of a numeric vector in their own width; half precision becomes float32. */
function numbersOf(vector: Arrow.Vector): Float64Array | Float32Array {
  if (vector.type.precision === 0)
    return Float32Array.from({ length: vector.length }, (_, i) => vector.get(i) ?? 0);
  return vector.toArray();
}
