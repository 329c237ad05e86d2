// The .fvecs, .bvecs and .ivecs files of nearest-neighbour benchmarks: each row is its length and its numbers.

import { open } from 'node:fs/promises';
import { DataError } from '../core/errors.ts';
import type { RowSource } from '../core/matrix.ts';
import type { RunOptions } from '../core/progress.ts';
import { fileMatrixSource, readFully } from './file-matrix.ts';
import { requireFile } from './format.ts';

/**
 * A .fvecs (float32), .ivecs (int32) or .bvecs (bytes) file as a source; the extension tells which.
 *
 * @throws {DataError} missing, empty, or of a size that is no whole number of rows
 */
export async function vecsSource(path: string, options: RunOptions = {}): Promise<RowSource> {
  const where = 'vecsSource';
  const size = await requireFile(where, path);
  const kind = path.toLowerCase().at(-5);
  const [type, bytes] =
    kind === 'b' ? (['u1', 1] as const) : kind === 'i' ? (['i4', 4] as const) : (['f4', 4] as const);
  await using file = await open(path);
  const start = new Uint8Array(4);
  await readFully(where, path, file, start, 0);
  const cols = new DataView(start.buffer).getInt32(0, true);
  const rowBytes = 4 + cols * bytes;
  if (cols < 1 || size % rowBytes !== 0) {
    throw new DataError(
      `${where}: ${path} has ${size} bytes and a first row of ${cols} numbers; expected whole rows of one length. It is damaged or cut off.`,
    );
  }
  const layout = { rows: size / rowBytes, cols, type, littleEndian: true, offset: 0, rowHeader: 4 };
  return fileMatrixSource(where, path, layout, options);
}
