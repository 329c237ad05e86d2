// IDX, the file format of the MNIST family: 0 0 type rank, then big-endian dimensions, then big-endian values.

import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { DataError } from '../../core/errors.ts';

const inflate = promisify(gunzip);

/** Values of an IDX file, row-major in the order of `shape`. */
export interface IdxArray {
  /** Length of each dimension, e.g. [60000, 28, 28]. */
  shape: number[];
  data: Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;
}

/** How to read one value at a byte offset, by the type code of the header. */
const VALUE_TYPES: Record<
  number,
  { bytes: number; create(n: number): IdxArray['data']; read(view: DataView, at: number): number }
> = {
  8: { bytes: 1, create: (n) => new Uint8Array(n), read: (view, at) => view.getUint8(at) },
  9: { bytes: 1, create: (n) => new Int8Array(n), read: (view, at) => view.getInt8(at) },
  11: { bytes: 2, create: (n) => new Int16Array(n), read: (view, at) => view.getInt16(at) },
  12: { bytes: 4, create: (n) => new Int32Array(n), read: (view, at) => view.getInt32(at) },
  13: { bytes: 4, create: (n) => new Float32Array(n), read: (view, at) => view.getFloat32(at) },
  14: { bytes: 8, create: (n) => new Float64Array(n), read: (view, at) => view.getFloat64(at) },
};

/**
 * Reads an IDX file, plain or gzipped (told by content, not by name).
 *
 * @throws {DataError} no such file, damaged gzip, wrong magic, unknown type, or a length that differs from the header's
 */
export async function readIdx(path: string): Promise<IdxArray> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) bytes = await inflate(bytes);
  } catch (cause) {
    throw new DataError(
      `readIdx: ${path}: ${(cause as Error).message}; expected an IDX file, plain or gzipped.`,
      {
        cause,
      },
    );
  }
  return parseIdx(bytes, path);
}

/**
 * Decodes the bytes of an IDX file.
 *
 * @param name - what to call the bytes in errors
 * @throws {DataError} wrong magic, unknown type, or a length that differs from the header's
 */
export function parseIdx(bytes: Uint8Array, name: string = 'IDX data'): IdxArray {
  const fail = (what: string, expected: string) =>
    new DataError(`parseIdx: ${name} ${what}; expected ${expected}. Fetch the file again.`);
  if (bytes.length < 4) throw fail(`has ${bytes.length} bytes`, 'a header of at least 4');
  const [zero0, zero1, typeCode, rank] = bytes;
  const type = VALUE_TYPES[typeCode];
  if (zero0 !== 0 || zero1 !== 0 || !type) {
    const magic = [zero0, zero1, typeCode, rank].map((b) => b.toString(16).padStart(2, '0')).join(' ');
    throw fail(`starts with ${magic}`, '00 00, a type in 08 … 0e and the number of dimensions');
  }
  const start = 4 + 4 * rank;
  if (bytes.length < start) throw fail(`ends inside its header of ${start} bytes`, `${rank} dimensions`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const count = shape.reduce((product, length) => product * length, 1);
  if (bytes.length - start !== count * type.bytes) {
    throw fail(
      `holds ${bytes.length - start} bytes of values`,
      `${count * type.bytes} for shape ${shape.join(' × ')}`,
    );
  }
  // Bytes, the common case, are copied at once; other types value by value, since the file is big-endian.
  if (typeCode === 8) return { shape, data: new Uint8Array(bytes.subarray(start)) };
  const data = type.create(count);
  for (let i = 0; i < count; i++) data[i] = type.read(view, start + i * type.bytes);
  return { shape, data };
}

/** Encodes unsigned bytes as an IDX file. @param shape - its product is `data.length` */
export function encodeIdx(shape: readonly number[], data: Uint8Array): Uint8Array {
  const start = 4 + 4 * shape.length;
  const bytes = new Uint8Array(start + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, (8 << 8) | shape.length);
  shape.forEach((length, i) => {
    view.setUint32(4 + 4 * i, length);
  });
  bytes.set(data, start);
  return bytes;
}
