// Matrices in .safetensors files: 8 bytes of header length, a JSON header, then the numbers of all tensors.

import { open } from 'node:fs/promises';
import { z } from 'zod';
import { DataError, InvalidArgumentError, UnsupportedError } from '../core/errors.ts';
import { type Matrix32, type RowSource, toSource } from '../core/matrix.ts';
import type { RunOptions } from '../core/progress.ts';
import { type ElementType, elementBytes } from './element-type.ts';
import { fileMatrixSource, littleEndianBytes, readFully, requireSize, writeFully } from './file-matrix.ts';
import { requireFile } from './format.ts';
import { writeAtomically } from './temporary.ts';

/** What a .safetensors file says of one tensor. */
export interface TensorInfo {
  name: string;
  /** As in the file: "F32", "BF16", "I64" … */
  dtype: string;
  shape: number[];
  /** First byte of its numbers in the file, and how many there are. */
  offset: number;
  bytes: number;
}

const TYPES: Record<string, ElementType> = {
  F16: 'f2',
  BF16: 'bf2',
  F32: 'f4',
  F64: 'f8',
  I8: 'i1',
  I16: 'i2',
  I32: 'i4',
  I64: 'i8',
  U8: 'u1',
  U16: 'u2',
  U32: 'u4',
  U64: 'u8',
  BOOL: 'b1',
};

/** The format's own limit. */
const MAX_HEADER = 100_000_000;

const size = z.number().int().nonnegative();
const headerSchema = z.record(
  z.string(),
  z.object({ dtype: z.string(), shape: z.array(size), data_offsets: z.tuple([size, size]) }),
);

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
  const length = Number(new DataView(start.buffer).getBigUint64(0, true));
  if (length > MAX_HEADER || length < 2) {
    throw new DataError(
      `${where}: ${path} announces a header of ${length} bytes; expected 2 to ${MAX_HEADER}. It is no .safetensors file, or damaged.`,
    );
  }
  requireSize(where, path, fileSize, 8 + length);
  const bytes = new Uint8Array(length);
  await readFully(where, path, file, bytes, 8);
  const tensors = Object.entries(parseHeader(path, bytes)).map(
    ([
      name,
      {
        dtype,
        shape,
        data_offsets: [from, to],
      },
    ]) => {
      const type = TYPES[dtype];
      const count = shape.reduce((product, n) => product * n, 1);
      if (to < from || (type !== undefined && to - from !== count * elementBytes(type))) {
        throw new DataError(
          `${where}: ${path} gives tensor "${name}" (${dtype}, shape ${shape.join(' × ')}) the bytes ${from} to ${to}; these do not fit. It is damaged.`,
        );
      }
      return { name, dtype, shape, offset: 8 + length + from, bytes: to - from };
    },
  );
  requireSize(
    where,
    path,
    fileSize,
    Math.max(8 + length, ...tensors.map(({ offset, bytes }) => offset + bytes)),
  );
  return tensors.sort((a, b) => a.offset - b.offset);
}

function parseHeader(path: string, bytes: Uint8Array): z.infer<typeof headerSchema> {
  try {
    const { __metadata__, ...tensors } = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return headerSchema.parse(tensors);
  } catch (cause) {
    throw new DataError(
      `listTensors: ${path} has no readable header; expected the JSON of a .safetensors file. It is damaged.`,
      {
        cause,
      },
    );
  }
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
  const type = TYPES[dtype];
  if (type !== undefined) return type;
  throw new UnsupportedError(
    `${where}: tensor "${name}" of ${path} has type ${dtype}; expected one of ${Object.keys(TYPES).join(', ')}.`,
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
  let end = 0;
  const entries = Object.entries(tensors).map(([name, { rows, cols }]) => {
    const from = end;
    end += 4 * rows * cols;
    return [name, { dtype: 'F32', shape: [rows, cols], data_offsets: [from, end] }];
  });
  const text = JSON.stringify({
    ...(metadata ? { __metadata__: metadata } : {}),
    ...Object.fromEntries(entries),
  });
  // Padded with spaces, so that the numbers start at a multiple of 8 bytes.
  const json = Buffer.from(text);
  const length = Math.ceil(json.length / 8) * 8;
  const head = Buffer.alloc(8 + length, ' ');
  head.writeBigUInt64LE(BigInt(length), 0);
  head.set(json, 8);
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
