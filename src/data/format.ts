// Which format a file has, by its name, and how DuckDB reads it.

import { stat } from 'node:fs/promises';
import { DataError, UnsupportedError } from '../core/errors.ts';
import { quoteText } from './duckdb.ts';

export type TableFormat = 'parquet' | 'csv' | 'jsonl' | 'json' | 'arrow';
export type MatrixFormat = 'npy' | 'safetensors' | 'vecs';

const EXTENSIONS: Record<string, TableFormat | MatrixFormat> = {
  parquet: 'parquet',
  pq: 'parquet',
  csv: 'csv',
  tsv: 'csv',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  json: 'json',
  arrow: 'arrow',
  arrows: 'arrow',
  feather: 'arrow',
  ipc: 'arrow',
  npy: 'npy',
  safetensors: 'safetensors',
  fvecs: 'vecs',
  bvecs: 'vecs',
  ivecs: 'vecs',
};

const TABLES = '.parquet, .csv, .tsv, .jsonl, .ndjson, .json, .arrow, .feather';
const MATRICES = '.npy, .safetensors, .fvecs, .bvecs, .ivecs';

/** Format by extension; text formats may end in .gz. @throws {UnsupportedError} unknown extension */
export function formatOf(where: string, path: string): TableFormat | MatrixFormat {
  const plain = path.toLowerCase().replace(/\.gz$/, '');
  const extension = /\.([a-z0-9]+)$/.exec(plain)?.[1] ?? '';
  const format = EXTENSIONS[extension];
  const zipped = plain.length < path.length;
  if (format === undefined || (zipped && format !== 'csv' && format !== 'jsonl' && format !== 'json')) {
    throw new UnsupportedError(
      `${where}: ${path} has no extension that is read here; expected one of ${TABLES} for a table, ${MATRICES} for a matrix.`,
    );
  }
  return format;
}

/** @throws {UnsupportedError} the path does not name a table */
export function tableFormatOf(where: string, path: string): TableFormat {
  const format = formatOf(where, path);
  if (format === 'npy' || format === 'safetensors' || format === 'vecs') {
    throw new UnsupportedError(`${where}: ${path} holds a matrix, not a table; expected one of ${TABLES}.`);
  }
  return format;
}

/** @throws {DataError} there is no such file, or it is empty. @returns size in bytes */
export async function requireFile(where: string, path: string): Promise<number> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new DataError(`${where}: ${path} cannot be opened; expected a readable file. Check the path.`, {
      cause,
    });
  });
  if (!found.isFile())
    throw new DataError(`${where}: ${path} is not a file; expected one. Name a file in it.`);
  if (found.size === 0) throw new DataError(`${where}: ${path} is empty; expected data.`);
  return found.size;
}

/**
 * The FROM item that reads a file.
 *
 * Text formats are looked through twice: types are guessed from all rows, since a guess from the first ones would round a later
 * 1.5 in a column of whole numbers to 2 without a word.
 *
 * @param textColumns - columns of a CSV file that are text whatever their fields look like
 */
export function scanOf(
  path: string,
  format: Exclude<TableFormat, 'arrow'>,
  textColumns: readonly string[] = [],
): string {
  const file = quoteText(path.replace(/[*?[]/g, '[$&]')); // a path, not a pattern
  switch (format) {
    case 'parquet':
      return `read_parquet(${file})`;
    case 'csv':
      return `read_csv(${file}, sample_size = -1${typesOf(textColumns)})`;
    case 'jsonl':
      return `read_json(${file}, format = 'newline_delimited', sample_size = -1)`;
    case 'json':
      return `read_json(${file}, sample_size = -1)`;
  }
}

function typesOf(textColumns: readonly string[]): string {
  if (textColumns.length === 0) return '';
  return `, types = {${textColumns.map((name) => `${quoteText(name)}: 'VARCHAR'`).join(', ')}}`;
}
