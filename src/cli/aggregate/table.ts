// The analyst's table: features as numbers, and what names its rows.

import type { SampleId } from '../../aggregate/index.ts';
import { DataError } from '../../core/errors.ts';
import { type Matrix64, matrixFromColumns } from '../../core/matrix.ts';
import { openTable, type Table } from '../../data/index.ts';
import { UsageError } from '../failure.ts';

export interface FeatureFlags {
  /** Columns to learn from. */
  features?: string[];
  /** Every column but these, the id and the label. */
  allBut?: string[];
  /** Column that names the rows. Default: row numbers from 0. */
  id?: string;
}

export interface AnalystTable extends AsyncDisposable {
  readonly path: string;
  readonly rows: number;
  /** Name of the id column in files about these rows. */
  readonly idName: string;
  /** Name of each row, shape (rows,), distinct. */
  ids(): Promise<string[]>;
  /** The same as an aggregator names samples: by number where the column holds whole numbers, else by text. */
  sampleIds(): Promise<SampleId[]>;
  /** A column of numbers, shape (rows,). */
  numbers(name: string): Promise<Float64Array>;
  /** The features: names, and values of shape (rows, columns.length), finite. */
  features(flags: FeatureFlags, except?: readonly string[]): Promise<{ columns: string[]; matrix: Matrix64 }>;
}

/** Columns of the files that are written beside names. */
const TAKEN = ['bag', 'key', 'prediction'];

/** What row numbers are called in files. */
const ROW = 'row';

/** @throws {DataError} the table is missing, empty or damaged */
export async function openAnalystTable(
  path: string,
  id: string | undefined,
  signal: AbortSignal,
): Promise<AnalystTable> {
  if (id !== undefined && TAKEN.includes(id)) {
    throw new UsageError(
      `--id ${id}: files about the rows have a column of that name themselves. Rename the column, or leave --id out for row numbers.`,
    );
  }
  const table = await openTable(path, { signal, textColumns: id === undefined ? [] : [id] });
  return {
    path,
    rows: table.rowCount,
    idName: id ?? ROW,
    ids: () => readIds(table, id),
    async sampleIds() {
      const ids = await readIds(table, id);
      const kind = table.columns.find(({ name }) => name === id)?.kind;
      // Fields of text files have no type of their own: what looks like whole numbers is read as such elsewhere.
      const untyped = kind === 'text' && /(^-|\.[ct]sv(\.gz)?)$/i.test(path);
      const numeric = id === undefined || kind === 'number' || (untyped && isWhole(ids));
      return numeric ? ids.map(Number) : ids;
    },
    numbers: (name) => table.readNumbers(name),
    async features(flags, except = []) {
      const columns = featureNames(table, flags, except);
      const read: Float64Array[] = [];
      for (const name of columns) read.push(requireFinite(path, name, await table.readNumbers(name)));
      return { columns, matrix: matrixFromColumns(read) };
    },
    [Symbol.asyncDispose]: () => table.close(),
  };
}

/** Names of rows as a column: whole numbers as such, so that other tools join them with theirs. */
export function idValues(ids: readonly string[]): BigInt64Array | readonly string[] {
  return isWhole(ids) ? BigInt64Array.from(ids, BigInt) : ids;
}

function isWhole(ids: readonly string[]): boolean {
  return ids.every((name) => /^-?(0|[1-9]\d{0,17})$/.test(name));
}

async function readIds(table: Table, id: string | undefined): Promise<string[]> {
  if (id === undefined) return Array.from({ length: table.rowCount }, (_, row) => String(row));
  const ids = await table.readText(id);
  const rowOf = new Map<string, number>();
  ids.forEach((name, row) => {
    if (name === null) {
      throw new DataError(`${table.path}: column "${id}" is NULL at row ${row}; expected a name.`);
    }
    const other = rowOf.get(name);
    if (other !== undefined) {
      throw new DataError(
        `${table.path}: "${name}" names rows ${other} and ${row} in column "${id}"; expected distinct names. Labels of one person in several rows cost ε for each.`,
      );
    }
    rowOf.set(name, row);
  });
  return ids as string[];
}

function featureNames(
  { path, columns }: Table,
  { features, allBut, id }: FeatureFlags,
  except: readonly string[],
): string[] {
  if (features !== undefined && allBut !== undefined) {
    throw new UsageError('give --features or --all-but, not both.');
  }
  if (features === undefined && allBut === undefined) {
    throw new UsageError('what to learn from? Give --features a,b or --all-but with what is no feature.');
  }
  const known = columns.map(({ name }) => name);
  const unknown = [...(features ?? []), ...(allBut ?? [])].find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new DataError(`${path} has no column "${unknown}"; expected one of ${known.join(', ')}.`);
  }
  const left = [...(allBut ?? []), ...except, ...(id === undefined ? [] : [id])];
  const chosen = features ?? known.filter((name) => !left.includes(name));
  const label = features?.find((name) => except.includes(name));
  if (label !== undefined) throw new UsageError(`"${label}" is the label; it cannot be a feature too.`);
  const text = columns.find(
    ({ name, kind }) => chosen.includes(name) && kind !== 'number' && kind !== 'boolean',
  );
  if (text) {
    throw new DataError(
      `${path}: column "${text.name}" is ${text.type}; features are numbers. Leave it out with --all-but, or give it as columns of 0 and 1.`,
    );
  }
  if (chosen.length === 0) throw new UsageError('no column is left to learn from.');
  return chosen;
}

function requireFinite(path: string, name: string, values: Float64Array): Float64Array {
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong < 0) return values;
  throw new DataError(
    `${path}: column "${name}" is ${values[wrong]} at row ${wrong}; expected a finite number. Drop or fill that row.`,
  );
}
