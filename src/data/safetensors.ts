// Matrices in .safetensors files: 8 bytes of header length, a JSON header, then the numbers of all tensors.

import { open } from 'node:fs/promises';
import { DataError, InvalidArgumentError, UnsupportedError } from '../core/errors.ts';
import { type Matrix32, type RowSource, toSource } from '../core/matrix.ts';
import type { RunOptions } from '../core/progress.ts';
import type { ElementType } from './element-type.ts';
import { fileMatrixSource, littleEndianBytes, readFully, writeFully } from './file-matrix.ts';
import { requireFile } from './format.ts';
import { requireSize } from './require-size.ts';
import {
  parseSafetensorsHeader,
  SAFETENSORS_TYPES,
  safetensorsHead,
  safetensorsHeaderLength,
  type TensorInfo,
} from './safetensors-header.ts';
import { writeAtomically } from './temporary.ts';

/**
 * The tensors of a .safetensors file, in the order of their data.
 *
 * @throws {DataError} missing, damaged or cut off
 */
export async function listTensors(path: string): Promise<TensorInfo[]> {
  const where = 'listTensors';
  const fileSize = await requireFile(where, path);
  await using file = await open(path);
  const start = new Uint8Array(8);
  requireSize(where, path, fileSize, 8);
  await readFully(where, path, file, start, 0);
  const json = new Uint8Array(safetensorsHeaderLength(where, path, start, fileSize));
  await readFully(where, path, file, json, 8);
  return parseSafetensorsHeader(where, path, json, fileSize);
}

/**
 * A matrix of a .safetensors file as a source that streams; a vector (n,) counts as (n, 1), further axes are laid out in the row.
 *
 * @param tensor - its name; undefined when the file holds one matrix only
 * @throws {DataError} as `listTensors`; no such tensor; a pass: NaN or infinity, with its row
 * @throws {UnsupportedError} its numbers are of a type not read here
 */
export async function safetensorsSource(
  path: string,
  tensor: string | undefined,
  options: RunOptions = {},
): Promise<RowSource> {
  const where = 'safetensorsSource';
  const tensors = await listTensors(path);
  const matrices = tensors.filter(({ shape }) => shape.length === 2);
  const found = tensor === undefined ? matrices : tensors.filter(({ name }) => name === tensor);
  if (found.length !== 1) {
    const asked = tensor === undefined ? `${found.length} matrices` : `no tensor "${tensor}"`;
    throw new DataError(
      `${where}: ${path} holds ${asked}; expected the name of one of: ${describeTensors(tensors)}.`,
    );
  }
  const [{ shape, offset }] = found;
  const type = elementTypeOf(where, path, found[0]);
  const [rows = 1, ...rest] = shape;
  const cols = rest.reduce((product, n) => product * n, 1);
  return fileMatrixSource(where, path, { rows, cols, type, littleEndian: true, offset }, options);
}

/** "name F32 [2, 3]; …": what a message lists. */
export function describeTensors(tensors: readonly TensorInfo[]): string {
  return (
    tensors.map(({ name, dtype, shape }) => `${name} ${dtype} [${shape.join(', ')}]`).join('; ') || 'nothing'
  );
}

/** How the numbers of a tensor are read. @throws {UnsupportedError} they are of a type not read here */
export function elementTypeOf(where: string, path: string, { name, dtype }: TensorInfo): ElementType {
  const type = SAFETENSORS_TYPES[dtype];
  if (type !== undefined) return type;
  throw new UnsupportedError(
    `${where}: tensor "${name}" of ${path} has type ${dtype}; expected one of ${Object.keys(SAFETENSORS_TYPES).join(', ')}.`,
  );
}

/**
 * Writes matrices as F32 tensors; whole or not at all.
 *
 * @param metadata - text by name, stored in the header
 */
export async function writeSafetensors(
  path: string,
  tensors: Readonly<Record<string, Matrix32 | RowSource>>,
  { metadata, signal, onProgress }: RunOptions & { metadata?: Readonly<Record<string, string>> } = {},
): Promise<void> {
  if (Object.hasOwn(tensors, '__metadata__')) {
    throw new InvalidArgumentError(
      'writeSafetensors: a tensor is named "__metadata__"; expected another name, this one is reserved.',
    );
  }
  const head = safetensorsHead(
    Object.fromEntries(
      Object.entries(tensors).map(([name, { rows, cols }]) => [
        name,
        { dtype: 'F32', shape: [rows, cols], bytes: 4 * rows * cols },
      ]),
    ),
    metadata,
  );
  await writeAtomically(
    path,
    async (temporary) => {
      await using file = await open(temporary, 'w');
      await writeFully(file, head);
      for (const [name, matrix] of Object.entries(tensors)) {
        for await (const { start, points } of toSource(matrix).blocks()) {
          signal?.throwIfAborted();
          await writeFully(file, littleEndianBytes(points.data));
          onProgress?.({ phase: `writing ${name}`, done: start + points.rows, total: matrix.rows });
        }
      }
    },
    signal,
  );
}
