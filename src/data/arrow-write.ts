// A query result as Arrow IPC: the file format, or the stream format for .arrows.

import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type * as Arrow from 'apache-arrow';
import { loadArrow } from './arrow.ts';
import type { TableColumn } from './column-type.ts';
import { type Database, quoteIdentifier } from './duckdb.ts';

export async function exportArrow(
  database: Database,
  select: string,
  columns: readonly TableColumn[],
  temporary: string,
  path: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const arrow = await loadArrow();
  const plan = columns.map((column) => arrowColumn(arrow, column));
  const schema = new arrow.Schema(plan.map(({ name, type }) => new arrow.Field(name, type, true)));
  const casts = plan.map(({ name, sql }) => {
    const quoted = quoteIdentifier(name);
    return sql === undefined ? quoted : `CAST(${quoted} AS ${sql}) AS ${quoted}`;
  });

  async function* batches(): AsyncGenerator<Arrow.RecordBatch> {
    for await (const chunk of database.stream(`SELECT ${casts.join(', ')} FROM (${select})`, [], signal)) {
      const children = plan.map(
        ({ type }, j) => arrow.vectorFromArray(chunk.values(j).map(plainValue), type).data[0],
      );
      const data = arrow.makeData({
        type: new arrow.Struct(schema.fields),
        length: chunk.rows,
        nullCount: 0,
        children,
      });
      yield new arrow.RecordBatch(schema, data);
    }
  }

  const Writer = path.toLowerCase().endsWith('.arrows')
    ? arrow.RecordBatchStreamWriter
    : arrow.RecordBatchFileWriter;
  const writer = new Writer();
  writer.reset(undefined, schema);
  // Both at once: the writer's queue is emptied into the file while it is filled.
  const saved = pipeline(writer.toNodeStream(), createWriteStream(temporary));
  try {
    for await (const batch of batches()) writer.write(batch);
    writer.finish();
  } catch (error) {
    writer.abort(error);
    await saved.catch(() => {});
    throw error;
  }
  await saved;
}

interface ArrowColumn {
  name: string;
  type: Arrow.DataType;
  /** SQL type to cast to first; undefined when the column is fine as it is. */
  sql?: string;
}

function arrowColumn(arrow: typeof Arrow, { name, type, kind, width }: TableColumn): ArrowColumn {
  const plain: Record<string, Arrow.DataType> = {
    BOOLEAN: new arrow.Bool(),
    VARCHAR: new arrow.Utf8(),
    TINYINT: new arrow.Int8(),
    SMALLINT: new arrow.Int16(),
    INTEGER: new arrow.Int32(),
    BIGINT: new arrow.Int64(),
    UTINYINT: new arrow.Uint8(),
    USMALLINT: new arrow.Uint16(),
    UINTEGER: new arrow.Uint32(),
    UBIGINT: new arrow.Uint64(),
    FLOAT: new arrow.Float32(),
    DOUBLE: new arrow.Float64(),
  };
  if (Object.hasOwn(plain, type)) return { name, type: plain[type] };
  if (kind === 'vector') {
    const single = type.startsWith('FLOAT');
    const item = new arrow.Field('item', single ? plain.FLOAT : plain.DOUBLE, true);
    const list = width === undefined ? new arrow.List(item) : new arrow.FixedSizeList(width, item);
    return { name, type: list, sql: single ? 'FLOAT[]' : 'DOUBLE[]' };
  }
  if (kind === 'number') return { name, type: plain.DOUBLE, sql: 'DOUBLE' };
  return { name, type: plain.VARCHAR, sql: 'VARCHAR' };
}

/** A list as an array; any other value is one of JavaScript already. */
function plainValue(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'items' in value ? value.items : value;
}
