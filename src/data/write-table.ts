// Tables out: columns in memory, or chosen rows of another table with columns added.

import { InvalidArgumentError, ShapeError } from '../core/errors.ts';
import { type ColumnData, stageColumns } from './column-data.ts';
import { type DatabaseOptions, openDatabase, quoteIdentifier } from './duckdb.ts';
import { exportQuery } from './export.ts';
import { tableFormatOf } from './format.ts';
import { type OpenTableOptions, openTableInternal } from './table.ts';

export interface WriteTableOptions extends DatabaseOptions {
  /** Cancels; nothing is left behind then. */
  signal?: AbortSignal | undefined;
}

/**
 * Writes columns to a Parquet, CSV, TSV, JSON lines, JSON or Arrow file, by its extension.
 *
 * The file is written under another name and renamed when complete: an error, an abort or a crash leaves what was there before.
 *
 * @param columns - by name, in order, all of one length; vectors become FLOAT[width], and one RowSource may be streamed
 * @returns number of rows
 * @throws {ShapeError} columns differ in length
 * @throws {UnsupportedError} unknown extension
 *
 * @example
 * await writeTable('picked.parquet', { id: ids, weight: weights });
 */
export async function writeTable(
  path: string,
  columns: Readonly<Record<string, ColumnData>>,
  { signal, ...databaseOptions }: WriteTableOptions = {},
): Promise<number> {
  signal?.throwIfAborted();
  tableFormatOf('writeTable', path);
  const database = await openDatabase(databaseOptions);
  try {
    const rows = await stageColumns('writeTable', database, 'columns', columns, signal);
    await exportQuery('writeTable', database, 'SELECT * FROM stage.main.columns', path, signal);
    return rows;
  } finally {
    await database.close();
  }
}

/**
 * The same from columns that come batch by batch: for tables that do not fit in memory.
 *
 * @param batches - each with the same columns in the same order, of the same kinds; at least one
 * @returns number of rows
 * @throws as `writeTable`; {InvalidArgumentError} there is no batch
 */
export async function writeTableBatches(
  path: string,
  batches: AsyncIterable<Readonly<Record<string, ColumnData>>>,
  { signal, ...databaseOptions }: WriteTableOptions = {},
): Promise<number> {
  const where = 'writeTableBatches';
  signal?.throwIfAborted();
  tableFormatOf(where, path);
  const database = await openDatabase(databaseOptions);
  try {
    let rows = 0;
    let more = false;
    for await (const columns of batches) {
      rows += await stageColumns(where, database, 'columns', columns, signal, { more });
      more = true;
    }
    if (!more) throw new InvalidArgumentError(`${where}: no batches; expected at least one.`);
    await exportQuery(where, database, 'SELECT * FROM stage.main.columns', path, signal);
    return rows;
  } finally {
    await database.close();
  }
}

/**
 * Copies the chosen rows of a table, in the order of the input, with columns added: a selection as a file to train on.
 *
 * Done by DuckDB out of core; all columns keep their types where the output format has them.
 *
 * @param ids - row numbers from 0, distinct, in any order
 * @param extraColumns - by name, entry i for row ids[i]
 * @returns number of rows written
 * @throws {InvalidArgumentError} an id is no row, or comes twice; an extra column has the name of one of the table
 * @throws {DataError} the input cannot be read
 */
export async function copyRows(
  inputPath: string,
  outputPath: string,
  ids: ArrayLike<number>,
  extraColumns: Readonly<Record<string, ColumnData>> = {},
  options: OpenTableOptions = {},
): Promise<number> {
  tableFormatOf('copyRows', outputPath);
  const { signal } = options;
  const rowIds = Float64Array.from(ids);
  for (const [name, { length }] of Object.entries(extraColumns).flatMap(([n, d]) =>
    'length' in d ? [[n, d] as const] : [],
  )) {
    if (length !== rowIds.length) {
      throw new ShapeError(
        `copyRows: column "${name}" has length ${length}; expected ${rowIds.length}, one per id.`,
      );
    }
  }
  const table = await openTableInternal('copyRows', inputPath, options);
  try {
    requireRows(rowIds, table.rowCount, inputPath);
    const taken = table.columns.find(({ name }) => Object.hasOwn(extraColumns, name));
    if (taken) {
      throw new InvalidArgumentError(
        `copyRows: ${inputPath} has a column "${taken.name}" already; expected a new name. Rename the added column.`,
      );
    }
    const { database } = table;
    const names = Object.keys(extraColumns);
    const rowId = unusedName('row_id', [...names, ...table.columns.map(({ name }) => name)]);
    await stageColumns('copyRows', database, 'picks', { [rowId]: rowIds, ...extraColumns }, signal);
    const key = `picks.${quoteIdentifier(rowId)}`;
    const added = names.map((name) => `, picks.${quoteIdentifier(name)}`).join('');
    const [from, number, all] =
      table.format === 'parquet'
        ? [
            table.from.replace(/\)$/, ', file_row_number = true)'),
            'file_row_number',
            'source.* EXCLUDE (file_row_number)',
          ]
        : [table.from, 'rowid', 'source.*'];
    // ORDER BY says what DuckDB's plans happen to do today, and does not promise.
    const select =
      `SELECT ${all}${added} FROM ${from} AS source JOIN stage.main.picks AS picks ` +
      `ON source.${number} = CAST(${key} AS BIGINT) ORDER BY ${key}`;
    await exportQuery('copyRows', database, select, outputPath, signal);
    return rowIds.length;
  } finally {
    await table.close();
  }
}

function requireRows(ids: Float64Array, rowCount: number, path: string): void {
  const seen = new Uint8Array(rowCount);
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i];
    if (!Number.isInteger(id) || id < 0 || id >= rowCount) {
      throw new InvalidArgumentError(
        `copyRows: ids[${i}] is ${id}; expected a row of ${path}, 0 to ${rowCount - 1}.`,
      );
    }
    if (seen[id]) {
      throw new InvalidArgumentError(
        `copyRows: ids[${i}] is ${id}, which came before; expected distinct rows. Add up their weights.`,
      );
    }
    seen[id] = 1;
  }
}

function unusedName(wanted: string, used: readonly string[]): string {
  let name = wanted;
  // SQL names do not tell cases apart.
  while (used.some((other) => other.toLowerCase() === name.toLowerCase())) name = `_${name}`;
  return name;
}
