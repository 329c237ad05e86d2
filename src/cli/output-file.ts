// What commands write: tables and matrices, by the extension of their file.

import type { Matrix32, RowSource } from '../core/matrix.ts';
import type { ColumnData } from '../data/index.ts';
import { type WriteTableOptions, writeNpy, writeSafetensors, writeTable } from '../data/index.ts';

/** A matrix as .npy, as a tensor in .safetensors, or as a table with one column of lists. Whole or not at all. */
export async function writeMatrix(
  path: string,
  matrix: Matrix32 | RowSource,
  column: string,
  options: WriteTableOptions,
): Promise<void> {
  if (path.toLowerCase().endsWith('.npy')) await writeNpy(path, matrix, options);
  else if (path.toLowerCase().endsWith('.safetensors')) {
    await writeSafetensors(path, { [column]: matrix }, options.signal ? { signal: options.signal } : {});
  } else await writeTable(path, { [column]: matrix }, options);
}

/** Names of rows as a column: whole numbers as such, anything else as text; row numbers when there are no names. */
export function idColumn(
  id: string | undefined,
  names: readonly string[] | undefined,
  rows: ArrayLike<number>,
): Record<string, ColumnData> {
  if (id === undefined || names === undefined) return { row: Uint32Array.from(rows) };
  const picked = Array.from(rows, (row) => names[row]);
  const whole = picked.every((name) => /^-?(0|[1-9]\d{0,17})$/.test(name));
  return { [id]: whole ? BigInt64Array.from(picked, BigInt) : picked };
}
