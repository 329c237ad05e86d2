// What commands read: a table or a matrix in a file, under one face.

import { DataError } from '../core/errors.ts';
import type { Matrix32, RowSource } from '../core/matrix.ts';
import { type EmbeddingSource, openTable, readEmbeddings, type Table } from '../data/index.ts';
import { UsageError } from './failure.ts';

export interface EmbeddingColumns {
  /** Column of lists, or name of the tensor. */
  column?: string | undefined;
  /** Numeric columns side by side. */
  columns?: readonly string[] | undefined;
}

export interface InputTable extends AsyncDisposable {
  readonly path: string;
  readonly rows: number;
  /** Names of its columns; none for a matrix. */
  readonly columns: readonly string[];
  /** The vectors: the columns named, else the only column of lists, or the matrix. In memory when they fit. */
  embeddings(): Promise<Matrix32 | RowSource>;
  /** A column of numbers, shape (rows,). */
  numbers(name: string): Promise<Float64Array>;
  /** A column as text, shape (rows,). */
  texts(name: string): Promise<string[]>;
}

/** Vectors up to this size are held in memory, which saves passes over the file; larger ones are streamed. */
const inMemoryBytes = 2 ** 28;

export interface OpenInputOptions extends EmbeddingColumns {
  signal: AbortSignal;
}

/**
 * Opens a table (Parquet, CSV, JSON lines, Arrow; "-" is standard input) or a matrix (.npy, .safetensors, .fvecs).
 *
 * @throws {DataError} it is missing, empty or damaged, or has no such column or tensor
 * @throws {UnsupportedError} its extension is not known
 */
export async function openInput(path: string, options: OpenInputOptions): Promise<InputTable> {
  const { signal, column } = options;
  if (/\.(npy|safetensors|[fbi]vecs)$/i.test(path)) {
    return matrixInput(path, await readEmbeddings(path, column, { signal }));
  }
  return tableInput(await openTable(path, { signal }), options);
}

function tableInput(table: Table, { column, columns: several }: EmbeddingColumns): InputTable {
  const { path, columns } = table;
  return {
    path,
    rows: table.rowCount,
    columns: columns.map(({ name }) => name),
    async embeddings() {
      return inMemory(await table.rowSource(several ?? column ?? onlyVectorColumn(table)));
    },
    numbers: (name) => table.readNumbers(name),
    async texts(name) {
      const texts = await table.readText(name);
      const missing = texts.indexOf(null);
      if (missing >= 0)
        throw new DataError(`${path}: column "${name}" is NULL at row ${missing}; expected a value.`);
      return texts as string[];
    },
    [Symbol.asyncDispose]: () => table.close(),
  };
}

function matrixInput(path: string, source: EmbeddingSource): InputTable {
  const refuse = (name: string): never => {
    throw new UsageError(
      `${path} is a matrix without named columns, so there is no column ${name}; give a table.`,
    );
  };
  return {
    path,
    rows: source.rows,
    columns: [],
    embeddings: () => inMemory(source),
    numbers: async (name) => refuse(name),
    texts: async (name) => refuse(name),
    [Symbol.asyncDispose]: () => source.close(),
  };
}

function onlyVectorColumn({ path, columns }: Table): string {
  const vectors = columns.filter(({ kind }) => kind === 'vector');
  if (vectors.length === 1) return vectors[0].name;
  if (vectors.length > 1) {
    throw new UsageError(
      `${path} has several columns of lists: ${vectors.map(({ name }) => name).join(', ')}. Name one with --column.`,
    );
  }
  const all = columns.map(({ name, type }) => `${name} ${type}`).join(', ');
  throw new UsageError(
    `${path} has no column of lists; it has ${all}. Name the numeric columns with --columns, or a text column of lists with --column.`,
  );
}

/** The one column of `names` that a table has, else its only one. @throws {DataError} neither */
export function columnNamed(table: InputTable, names: readonly string[]): string {
  const found = names.find((name) => table.columns.includes(name));
  if (found !== undefined) return found;
  if (table.columns.length === 1) return table.columns[0];
  throw new DataError(
    `${table.path}: it has the columns ${table.columns.join(', ')}; expected one named ${names.join(' or ')}.`,
  );
}

async function inMemory(source: RowSource): Promise<Matrix32 | RowSource> {
  const { rows, cols } = source;
  if (4 * rows * cols > inMemoryBytes) return source;
  const data = new Float32Array(rows * cols);
  for await (const { start, points } of source.blocks()) data.set(points.data, start * cols);
  return { data, rows, cols };
}
