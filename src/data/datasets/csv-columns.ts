// The small CSV files that data sets come as: one header line, no quoted commas, "." as decimal point.

import { readFile } from 'node:fs/promises';
import { DataError } from '../../core/errors.ts';

/** Columns of a file as text, by name, all of one length. */
export class CsvColumns {
  readonly #where: string;
  readonly #columns: ReadonlyMap<string, readonly string[]>;
  readonly rows: number;

  constructor(where: string, columns: ReadonlyMap<string, readonly string[]>, rows: number) {
    this.#where = where;
    this.#columns = columns;
    this.rows = rows;
  }

  text(name: string): readonly string[] {
    const column = this.#columns.get(name);
    if (column) return column;
    throw new DataError(
      `${this.#where}: there is no column "${name}"; expected it in ${[...this.#columns.keys()].join(', ')}.`,
    );
  }

  /** @throws {DataError} an entry is no finite number: the message names its row */
  numbers(name: string): Float64Array {
    return Float64Array.from(this.text(name), (text, row) => {
      const value = text.trim() === '' ? Number.NaN : Number(text);
      if (Number.isFinite(value)) return value;
      throw new DataError(`${this.#where}: "${name}" is "${text}" in row ${row}; expected a finite number.`);
    });
  }

  /** 1 where the text is `value`, else 0. @throws {DataError} it is neither `value` nor one of `others` */
  indicator(name: string, value: string, others: readonly string[]): Float64Array {
    return Float64Array.from(this.text(name), (text, row) => {
      if (text !== value && !others.includes(text)) {
        throw new DataError(
          `${this.#where}: "${name}" is "${text}" in row ${row}; expected one of ${[value, ...others].join(', ')}.`,
        );
      }
      return text === value ? 1 : 0;
    });
  }
}

/**
 * @param header - names to use when the file's first line holds none
 * @throws {DataError} no rows, or a line with another number of fields
 */
export function parseCsvColumns(where: string, text: string, header?: readonly string[]): CsvColumns {
  const [first, ...lines] = text.split(/\r?\n/).filter((line) => line !== '');
  const names = header ?? (first ?? '').split(',').map((name) => name.replaceAll('"', ''));
  if (lines.length === 0) throw new DataError(`${where}: there are no rows; expected a header and rows.`);
  const columns = names.map((): string[] => []);
  lines.forEach((line, row) => {
    const fields = line.split(',');
    if (fields.length !== names.length) {
      throw new DataError(
        `${where}: row ${row} has ${fields.length} fields; expected ${names.length}. The file is damaged: fetch it anew.`,
      );
    }
    fields.forEach((field, j) => {
      columns[j].push(field);
    });
  });
  return new CsvColumns(where, new Map(names.map((name, j) => [name, columns[j]])), lines.length);
}

export async function readCsvColumns(
  where: string,
  path: string,
  header?: readonly string[],
): Promise<CsvColumns> {
  return parseCsvColumns(where, await readFile(path, 'utf8'), header);
}
