// Vectors of a table as a RowSource: DuckDB reads and casts, whole runs of rows are copied at once.

import { requireInteger } from '../core/check.ts';
import { DataError } from '../core/errors.ts';
import { defaultBlockRows, type RowBlock, type RowSource } from '../core/matrix.ts';
import type { RunOptions } from '../core/progress.ts';
import type { TableColumn } from './column-type.ts';
import { type Chunk, type Database, type ListVector, quoteIdentifier } from './duckdb.ts';
import { firstNonFinite } from './element-type.ts';

interface VectorTable {
  path: string;
  rowCount: number;
  database: Database;
  from: string;
}

/**
 * @param columns - one of vectors (or text that holds lists), or any number of numeric ones
 * @throws {DataError} a column is not numeric, or the first vector is NULL or has no entries
 */
export async function vectorSource(
  table: VectorTable,
  columns: readonly TableColumn[],
  { signal, onProgress }: RunOptions,
): Promise<RowSource> {
  const { path, rowCount, database, from } = table;
  const label = columns.length === 1 ? `column "${columns[0].name}"` : `columns "${columns[0].name}" …`;
  const expression = listExpression(path, columns);
  const cols = columns[0].width ?? (await firstWidth());
  let verified = false; // a whole pass has found every number finite

  async function firstWidth(): Promise<number> {
    if (isNumeric(columns[0])) return columns.length;
    if (rowCount === 0) return 0;
    const sql = `SELECT len(${expression})::DOUBLE AS width FROM ${from} LIMIT 1`;
    const [{ width }] = await database.rows(sql, [], signal).catch(locateAndThrow);
    if (!(Number(width) > 0)) throw badRow(width === null ? 'NULL' : 'an empty list', 0, 'a list of numbers');
    return Number(width);
  }

  function badRow(what: string, row: number, expected = `${cols} finite numbers`): DataError {
    return new DataError(
      `rowSource: ${label} of ${path} is ${what} at row ${row}; expected ${expected}. Repair or drop that row.`,
    );
  }

  /** A cast that failed in DuckDB, which does not tell the row: one more pass finds it. */
  async function locateAndThrow(error: unknown): Promise<never> {
    if (!(error instanceof DataError) || !error.message.includes('Conversion Error')) throw error;
    const faults = columns.map((column) => {
      const name = quoteIdentifier(column.name);
      const narrow = `TRY_CAST(${name} AS ${isNumeric(column) ? 'FLOAT' : 'FLOAT[]'})`;
      // Of a list, only the entries that do not fit become NULL.
      const entries = `list_count(${narrow}) < list_count(TRY_CAST(${name} AS DOUBLE[]))`;
      return `${name} IS NOT NULL AND (${narrow} IS NULL${isNumeric(column) ? '' : ` OR ${entries}`})`;
    });
    const numbered = `SELECT row_number() OVER () - 1 AS row, ${faults.join(' OR ')} AS bad FROM ${from}`;
    const [{ row }] = await database.rows(
      `SELECT min(row)::DOUBLE AS row FROM (${numbered}) WHERE bad`,
      [],
      signal,
    );
    if (row === null) throw error;
    throw badRow('not in the range of float32, or no list', Number(row), 'finite numbers');
  }

  async function* chunks(): AsyncGenerator<Chunk> {
    try {
      yield* database.stream(`SELECT ${expression} FROM ${from}`, [], signal);
    } catch (error) {
      await locateAndThrow(error);
    }
  }

  async function* blocks(maxRows: number = defaultBlockRows(cols)): AsyncGenerator<RowBlock> {
    requireInteger('RowSource.blocks: maxRows', maxRows, 1);
    if (rowCount === 0) return;
    const blockRows = Math.min(maxRows, rowCount);
    const data = new Float32Array(blockRows * cols);
    let start = 0; // first row of the block
    let filled = 0; // its rows so far
    for await (const chunk of chunks()) {
      const lists = chunk.lists(0);
      for (let row = 0; row < chunk.rows; ) {
        const count = Math.min(chunk.rows - row, blockRows - filled);
        const target = data.subarray(filled * cols, (filled + count) * cols);
        copyLists(lists, row, count, cols, target, (what, at) => {
          throw badRow(what, start + filled + at);
        });
        if (!verified) requireFinite(target, start + filled);
        row += count;
        filled += count;
        if (filled < blockRows) continue;
        yield { start, points: { data: data.subarray(0, filled * cols), rows: filled, cols } };
        signal?.throwIfAborted();
        start += filled;
        filled = 0;
        onProgress?.({ phase: 'reading rows', done: start, total: rowCount });
      }
    }
    if (filled > 0) {
      yield { start, points: { data: data.subarray(0, filled * cols), rows: filled, cols } };
      onProgress?.({ phase: 'reading rows', done: start + filled, total: rowCount });
    }
    if (start + filled !== rowCount) {
      throw new DataError(
        `rowSource: ${path} gave ${start + filled} rows in this pass; expected ${rowCount}. Do not change the file while it is read.`,
      );
    }
    verified = true;
  }

  function requireFinite(values: Float32Array, firstRow: number): void {
    const bad = firstNonFinite(values);
    if (bad < 0) return;
    throw badRow(`${values[bad]} in entry ${bad % cols}`, firstRow + Math.floor(bad / cols));
  }

  return { rows: rowCount, cols, blocks };
}

function isNumeric({ kind }: TableColumn): boolean {
  return kind === 'number' || kind === 'boolean';
}

/** SQL that makes a FLOAT[] of a row: from lists, from text, or from numbers side by side. */
function listExpression(path: string, columns: readonly TableColumn[]): string {
  if (columns.length === 1 && (columns[0].kind === 'vector' || columns[0].kind === 'text')) {
    return `CAST(${quoteIdentifier(columns[0].name)} AS FLOAT[])`;
  }
  const other = columns.find((column) => !isNumeric(column));
  if (other) {
    const expected =
      columns.length === 1 ? 'a list of numbers, or a number' : 'a number in each of several columns';
    throw new DataError(
      `rowSource: column "${other.name}" of ${path} has type ${other.type}; expected ${expected}.`,
    );
  }
  return `list_value(${columns.map(({ name }) => `CAST(${quoteIdentifier(name)} AS FLOAT)`).join(', ')})`;
}

/** Copies the lists of rows first … first + count − 1, each of length `cols`, behind each other into `target`. */
export function copyLists(
  lists: ListVector,
  first: number,
  count: number,
  cols: number,
  target: Float32Array,
  bad: (what: string, row: number) => never,
): void {
  let runStart = 0; // rows of this run lie behind each other in `items`, and are copied at once
  let itemStart = 0;
  for (let i = 0; i <= count; i++) {
    const entry = i < count ? lists.at(first + i) : undefined;
    if (i < count) {
      if (!entry) bad('NULL', i);
      if (entry.length !== cols) bad(`a list of ${entry.length}`, i);
      if (i === 0) itemStart = entry.start;
      if (entry.start === itemStart + (i - runStart) * cols) continue;
    }
    target.set(lists.items.subarray(itemStart, itemStart + (i - runStart) * cols), runStart * cols);
    runStart = i;
    if (entry) itemStart = entry.start;
  }
  if (lists.complete) return;
  for (let i = 0; i < count; i++) {
    const { start } = lists.at(first + i)!;
    for (let j = 0; j < cols; j++) if (!lists.itemValid(start + j)) bad(`NULL in entry ${j}`, i);
  }
}
