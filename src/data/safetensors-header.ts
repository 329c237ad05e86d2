// The header of a .safetensors file, checked against the file's size: 8 bytes of length, then JSON. Reads no file itself.

import { z } from 'zod';
import { DataError } from '../core/errors.ts';
import { type ElementType, elementBytes } from './element-type.ts';
import { requireSize } from './require-size.ts';

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

/** The element types of the format that are read here. */
export const SAFETENSORS_TYPES: Readonly<Record<string, ElementType>> = {
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
 * Bytes of the JSON that follows.
 *
 * @param start - the first 8 bytes of the file
 * @throws {DataError} no header is of this length, or the file is shorter
 */
export function safetensorsHeaderLength(
  where: string,
  path: string,
  start: Uint8Array,
  fileSize: number,
): number {
  const length = Number(new DataView(start.buffer, start.byteOffset, 8).getBigUint64(0, true));
  if (length > MAX_HEADER || length < 2) {
    throw new DataError(
      `${where}: ${path} announces a header of ${length} bytes; expected 2 to ${MAX_HEADER}. It is no .safetensors file, or damaged.`,
    );
  }
  requireSize(where, path, fileSize, 8 + length);
  return length;
}

/**
 * The tensors that a header lists, in the order of their data.
 *
 * @param json - the whole header, without the 8 bytes before it
 * @throws {DataError} damaged, or the file is shorter than its tensors
 */
export function parseSafetensorsHeader(
  where: string,
  path: string,
  json: Uint8Array,
  fileSize: number,
): TensorInfo[] {
  const start = 8 + json.length;
  const tensors = Object.entries(parseJson(where, path, json)).map(
    ([
      name,
      {
        dtype,
        shape,
        data_offsets: [from, to],
      },
    ]) => {
      const type = SAFETENSORS_TYPES[dtype];
      const count = shape.reduce((product, n) => product * n, 1);
      if (to < from || (type !== undefined && to - from !== count * elementBytes(type))) {
        throw new DataError(
          `${where}: ${path} gives tensor "${name}" (${dtype}, shape ${shape.join(' × ')}) the bytes ${from} to ${to}; these do not fit. It is damaged.`,
        );
      }
      return { name, dtype, shape, offset: start + from, bytes: to - from };
    },
  );
  const end = tensors.reduce((last, { offset, bytes }) => Math.max(last, offset + bytes), start);
  requireSize(where, path, fileSize, end);
  return tensors.sort((a, b) => a.offset - b.offset);
}

function parseJson(where: string, path: string, json: Uint8Array): z.infer<typeof headerSchema> {
  try {
    const { __metadata__, ...tensors } = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
    return headerSchema.parse(tensors);
  } catch (cause) {
    throw new DataError(
      `${where}: ${path} has no readable header; expected the JSON of a .safetensors file. It is damaged.`,
      { cause },
    );
  }
}

/**
 * The start of a .safetensors file whose tensors follow in this order without gaps: 8 bytes of length, then JSON.
 *
 * @param tensors - by name, their type as the format names it
 * @param metadata - text by name
 */
export function safetensorsHead(
  tensors: Readonly<Record<string, { dtype: string; shape: readonly number[]; bytes: number }>>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  let end = 0;
  const entries = Object.entries(tensors).map(([name, { dtype, shape, bytes }]) => {
    const from = end;
    end += bytes;
    return [name, { dtype, shape, data_offsets: [from, end] }];
  });
  const text = JSON.stringify({
    ...(metadata ? { __metadata__: metadata } : {}),
    ...Object.fromEntries(entries),
  });
  // Padded with spaces, so that the numbers start at a multiple of 8 bytes.
  const json = new TextEncoder().encode(text);
  const length = Math.ceil(json.length / 8) * 8;
  const head = new Uint8Array(8 + length).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(length), true);
  head.set(json, 8);
  return head;
}
