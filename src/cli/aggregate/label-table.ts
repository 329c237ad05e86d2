// The table that an aggregator guards. What is wrong with it is told by row, counted from 0, never by value.

import { DataError } from '../../core/errors.ts';
import { openTable, type Table } from '../../data/index.ts';

export interface LabelColumns {
  /** Names the samples. */
  id: string;
  label: string;
  /** Whose label it is. Default: every row is a person of its own. */
  person?: string | undefined;
}

/** A name of a sample or a person, as `SampleId`, in the shape (rows,). */
export type Names = Float64Array | string[];

export interface ReadLabels {
  ids: Names;
  /** Finite. */
  labels: Float64Array;
  people?: Names;
}

/** Characters of a name. */
const MAX_NAME = 256;

/**
 * Reads ids, labels and people.
 *
 * Columns of whole numbers name by number, others by text: analysts must do the same.
 *
 * @throws {DataError} the table is missing or damaged, has no such column, a value is missing, no number where one is expected, or an id is there twice
 */
export async function readLabelTable(
  path: string,
  { id, label, person }: LabelColumns,
  signal: AbortSignal,
): Promise<ReadLabels> {
  await using table = await openQuietly(path, signal);
  const labels = await table.readNumbers(label);
  const wrong = labels.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    throw new DataError(
      `${path}: column "${label}" is not finite at row ${wrong}; expected a number. Fill or drop that row.`,
    );
  }
  const ids = await readNames(table, id);
  requireDistinct(path, id, ids);
  return { ids, labels, ...(person === undefined ? {} : { people: await readNames(table, person) }) };
}

/** A parser's message may quote the line it fails at: only its number is passed on. */
async function openQuietly(path: string, signal: AbortSignal): Promise<Table> {
  try {
    return await openTable(path, { signal });
  } catch (error) {
    const message = error instanceof DataError ? error.message : '';
    if (!message.includes('DuckDB: ')) throw error;
    const line = /\bline:? (\d+)/i.exec(message)?.[1];
    const where = line === undefined ? '' : ` (line ${line})`;
    throw new DataError(
      `${path} cannot be read as a table${where}; expected Parquet, CSV, JSON lines or Arrow. It may be damaged.`,
    );
  }
}

async function readNames(table: Table, name: string): Promise<Names> {
  const column = table.columns.find((candidate) => candidate.name === name);
  const refuse = (row: number, what: string, expected: string): never => {
    throw new DataError(`${table.path}: column "${name}" ${what} at row ${row}; expected ${expected}.`);
  };
  if (column?.kind === 'number') {
    const numbers = await table.readNumbers(name);
    const wrong = numbers.findIndex((value) => !Number.isSafeInteger(value));
    if (wrong >= 0) refuse(wrong, 'is no whole number below 2⁵³', 'such numbers, or text');
    // −0 and 0 name the same, and JSON has only one of them.
    return numbers.map((value) => value + 0);
  }
  const texts = await table.readText(name);
  texts.forEach((text, row) => {
    if (text === null) refuse(row, 'is NULL', 'a name');
    else if (text.length === 0 || text.length > MAX_NAME) {
      refuse(row, `has ${text.length} characters`, `1 to ${MAX_NAME}`);
    }
  });
  return texts as string[];
}

function requireDistinct(path: string, name: string, ids: Names): void {
  const rows = new Map<string | number, number>();
  ids.forEach((id: string | number, row: number) => {
    const other = rows.get(id);
    if (other !== undefined) {
      throw new DataError(
        `${path}: column "${name}" names rows ${other} and ${row} alike; expected an id for each label. Where a person has several labels, name that column with --person.`,
      );
    }
    rows.set(id, row);
  });
}
