// Vectors of any file this folder reads, as one source.

import { InvalidArgumentError } from '../core/errors.ts';
import type { RowSource } from '../core/matrix.ts';
import type { RunOptions } from '../core/progress.ts';
import type { DatabaseOptions } from './duckdb.ts';
import { formatOf } from './format.ts';
import { npySource } from './npy.ts';
import { safetensorsSource } from './safetensors.ts';
import { openTable } from './table.ts';
import { vecsSource } from './vecs.ts';

/** A source of rows that holds files or memory until it is closed. */
export interface EmbeddingSource extends RowSource, AsyncDisposable {
  close(): Promise<void>;
}

export interface ReadEmbeddingsOptions extends RunOptions, DatabaseOptions {}

/**
 * Opens the vectors of a table (Parquet, CSV, JSON lines, Arrow), .npy, .safetensors, .fvecs, .bvecs or .ivecs file as a source that streams.
 *
 * @param column - of a table: one of lists, or several numeric ones; of .safetensors: the name of the tensor. Default: the only
 *   column of vectors, or the only matrix
 * @throws {DataError} the file cannot be read, or holds no such column
 * @throws {InvalidArgumentError} a column is named for a file that has none
 *
 * @example
 * await using points = await readEmbeddings('corpus.parquet', 'embedding');
 * const { centers } = await kMeans(points, { k: 100 });
 */
export async function readEmbeddings(
  path: string,
  column?: string | readonly string[],
  options: ReadEmbeddingsOptions = {},
): Promise<EmbeddingSource> {
  const format = path === '-' ? 'csv' : formatOf('readEmbeddings', path);
  if (format === 'npy' || format === 'vecs') {
    if (column !== undefined) {
      throw new InvalidArgumentError(
        `readEmbeddings: ${path} has no columns; expected none, got "${column}". Leave it out.`,
      );
    }
    return closable(await (format === 'npy' ? npySource : vecsSource)(path, options));
  }
  if (format === 'safetensors') {
    if (Array.isArray(column) && column.length > 1) {
      throw new InvalidArgumentError(`readEmbeddings: ${column.length} tensors of ${path}; expected one.`);
    }
    return closable(
      await safetensorsSource(path, column === undefined ? undefined : String(column), options),
    );
  }
  const { onProgress, ...tableOptions } = options;
  const table = await openTable(path, tableOptions);
  try {
    const source = await table.rowSource(column ?? onlyVector(path, table.columns), { onProgress });
    return closable(source, () => table.close());
  } catch (error) {
    await table.close();
    throw error;
  }
}

function onlyVector(path: string, columns: readonly { name: string; type: string; kind: string }[]): string {
  const vectors = columns.filter(({ kind }) => kind === 'vector');
  if (vectors.length === 1) return vectors[0].name;
  const known = columns.slice(0, 40).map(({ name, type }) => `${name} ${type}`);
  throw new InvalidArgumentError(
    `readEmbeddings: ${path} has ${vectors.length} columns of vectors; expected the name of one, or of numeric columns, among ${known.join(', ')}.`,
  );
}

function closable(source: RowSource, close: () => Promise<void> = async () => {}): EmbeddingSource {
  return { ...source, close, [Symbol.asyncDispose]: close };
}
