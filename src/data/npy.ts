// NumPy's .npy files, versions 1 to 3: as a source that streams, or whole; and written.
// Format: numpy.lib.format, "A Simple File Format for NumPy Arrays" (NEP 1).

import { open } from 'node:fs/promises';
import { requireLength } from '../core/check.ts';
import { DataError, UnsupportedError } from '../core/errors.ts';
import { type Matrix32, type Matrix64, type RowSource, requireMatrix, toSource } from '../core/matrix.ts';
import type { RunOptions } from '../core/progress.ts';
import { decodeElements, type ElementType, elementBytes } from './element-type.ts';
import {
  fileMatrixSource,
  littleEndianBytes,
  type MatrixLayout,
  readFully,
  writeFully,
} from './file-matrix.ts';
import { requireFile } from './format.ts';
import { requireSize } from './require-size.ts';
import { writeAtomically } from './temporary.ts';

/** An array in memory, row-major. */
export interface NpyArray {
  data: Float64Array;
  shape: number[];
}

/** What a .npy file says of its array. */
export interface NpyHeader {
  shape: number[];
  type: ElementType;
  littleEndian: boolean;
  fortranOrder: boolean;
  /** Byte of the first number. */
  offset: number;
}

const MAGIC = '\x93NUMPY';
/** NumPy itself refuses to parse longer ones: no array needs them. */
const MAX_HEADER = 1 << 16;

/**
 * A .npy matrix as a source: shape (n, d); a vector (n,) counts as (n, 1), further axes are laid out in the row.
 *
 * Reads f2, f4, f8, integers and booleans of either byte order, in C and, for two axes, Fortran order.
 *
 * @throws {DataError} missing, damaged or cut off; a pass: NaN or infinity, with its row
 * @throws {UnsupportedError} complex, text, structured or object arrays
 */
export async function npySource(path: string, options: RunOptions = {}): Promise<RowSource> {
  const { shape, type, littleEndian, fortranOrder, offset } = await readNpyHeader('npySource', path);
  const [rows = 1, ...rest] = shape;
  if (fortranOrder && shape.length > 2) {
    throw new UnsupportedError(
      `npySource: ${path} has ${shape.length} axes in Fortran order; expected two at most. Save numpy.ascontiguousarray of it.`,
    );
  }
  const cols = rest.reduce((product, n) => product * n, 1);
  const layout: MatrixLayout = {
    rows,
    cols,
    type,
    littleEndian,
    offset,
    columnMajor: fortranOrder && cols > 1,
  };
  return fileMatrixSource('npySource', path, layout, options);
}

/**
 * A whole .npy array in memory as float64, e.g. losses; NaN and infinities pass.
 *
 * @throws as `npySource`; Fortran order with more than one axis longer than 1 is not read
 */
export async function readNpy(path: string): Promise<NpyArray> {
  const { shape, type, littleEndian, fortranOrder, offset } = await readNpyHeader('readNpy', path);
  if (fortranOrder && shape.filter((n) => n > 1).length > 1) {
    throw new UnsupportedError(
      `readNpy: ${path} is in Fortran order; expected C order. Use npySource, or save numpy.ascontiguousarray of it.`,
    );
  }
  const data = new Float64Array(shape.reduce((product, n) => product * n, 1));
  const bytes = new Uint8Array(data.length * elementBytes(type));
  await using file = await open(path);
  await readFully('readNpy', path, file, bytes, offset);
  decodeElements(bytes, type, littleEndian, data);
  return { data, shape };
}

/** An array of any number of axes to be written, row-major. */
export interface ShapedArray {
  data: Float32Array | Float64Array;
  shape: readonly number[];
}

/**
 * Writes a matrix or source (float32), a float64 matrix, a vector, or an array of any shape as .npy version 1, C order, little-endian;
 * whole or not at all.
 *
 * @throws {ShapeError} `data` has not as many entries as its shape
 */
export async function writeNpy(
  path: string,
  array: Matrix32 | Matrix64 | RowSource | ShapedArray | Float32Array | Float64Array,
  { signal, onProgress }: RunOptions = {},
): Promise<void> {
  const shape = shapeOf(array);
  const double =
    (ArrayBuffer.isView(array) ? array : 'blocks' in array ? undefined : array.data) instanceof Float64Array;
  const text = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const header = `{'descr': '${double ? '<f8' : '<f4'}', 'fortran_order': False, 'shape': ${text}, }`;
  // Data start at a multiple of 64 bytes; the header ends with a newline.
  const length = Math.ceil((10 + header.length + 1) / 64) * 64 - 10;
  const head = Buffer.alloc(10 + length, ' ');
  head.write(MAGIC, 0, 'latin1');
  head.set([1, 0, length & 255, length >> 8], 6);
  head.write(header, 10, 'latin1');
  head[head.length - 1] = 10;
  await writeAtomically(
    path,
    async (temporary) => {
      await using file = await open(temporary, 'w');
      await writeFully(file, head);
      for await (const { data, done } of parts(array)) {
        signal?.throwIfAborted();
        await writeFully(file, littleEndianBytes(data));
        onProgress?.({ phase: 'writing rows', done, total: shape[0] ?? 1 });
      }
    },
    signal,
  );
}

function shapeOf(
  array: Matrix32 | Matrix64 | RowSource | ShapedArray | Float32Array | Float64Array,
): readonly number[] {
  if (ArrayBuffer.isView(array)) return [array.length];
  if ('shape' in array) {
    const { data, shape } = array;
    requireLength(
      'writeNpy: data',
      data,
      shape.reduce((product, n) => product * n, 1),
    );
    return shape;
  }
  if (!('blocks' in array)) requireMatrix('writeNpy: array', array);
  return [array.rows, array.cols];
}

async function* parts(
  array: Matrix32 | Matrix64 | RowSource | ShapedArray | Float32Array | Float64Array,
): AsyncGenerator<{ data: Float32Array | Float64Array; done: number }> {
  if (ArrayBuffer.isView(array)) yield { data: array, done: array.length };
  else if ('shape' in array) yield { data: array.data, done: array.shape[0] ?? 1 };
  else if ('data' in array && array.data instanceof Float64Array)
    yield { data: array.data, done: array.rows };
  else {
    for await (const { start, points } of toSource(array as Matrix32 | RowSource).blocks()) {
      yield { data: points.data, done: start + points.rows };
    }
  }
}

/** @throws {DataError} missing, damaged or cut off @throws {UnsupportedError} its elements are no real numbers */
export async function readNpyHeader(where: string, path: string): Promise<NpyHeader> {
  const size = await requireFile(where, path);
  await using file = await open(path);
  const start = new Uint8Array(Math.min(12, size));
  await readFully(where, path, file, start, 0);
  if (size < 12 || Buffer.from(start.subarray(0, 6)).toString('latin1') !== MAGIC) {
    throw new DataError(
      `${where}: ${path} does not start as a .npy file does; expected one saved by numpy.save.`,
    );
  }
  const [major] = start.subarray(6, 7);
  if (major < 1 || major > 3)
    throw new UnsupportedError(`${where}: ${path} has .npy version ${major}; expected 1, 2 or 3.`);
  const view = new DataView(start.buffer);
  const [at, length] = major === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
  if (length > MAX_HEADER) {
    throw new DataError(
      `${where}: ${path} announces a header of ${length} bytes; expected at most ${MAX_HEADER}. It is damaged.`,
    );
  }
  const bytes = new Uint8Array(length);
  await readFully(where, path, file, bytes, at);
  const header = parseHeader(
    where,
    path,
    Buffer.from(bytes).toString(major === 3 ? 'utf8' : 'latin1'),
    at + length,
  );
  const count = header.shape.reduce((product, n) => product * n, 1);
  requireSize(where, path, size, header.offset + count * elementBytes(header.type));
  return header;
}

/** The header is a Python dictionary with three known keys; anything else in it is refused. */
function parseHeader(where: string, path: string, text: string, offset: number): NpyHeader {
  const descr = /'descr':\s*'([<>|=])([a-zA-Z])(\d+)'/.exec(text);
  const order = /'fortran_order':\s*(True|False)/.exec(text);
  const shape = /'shape':\s*\(([\d\s,L]*)\)/.exec(text);
  if (!order || !shape || !/^\s*\{/.test(text)) {
    throw new DataError(
      `${where}: ${path} has no readable .npy header; expected descr, fortran_order and shape.`,
    );
  }
  const type = descr ? `${descr[2]}${descr[3]}` : 'structured';
  if (!descr || !['f2', 'f4', 'f8', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'b1'].includes(type)) {
    const found = /'descr':\s*(.*?),\s*'(?:fortran_order|shape)'/.exec(text)?.[1] ?? type;
    throw new UnsupportedError(
      `${where}: ${path} has element type ${found}; expected real numbers, integers or booleans. Convert it with astype('f4').`,
    );
  }
  const sizes = shape[1].split(',').flatMap((part) => (part.trim() ? [Number(part.replace('L', ''))] : []));
  return {
    shape: sizes,
    type: type as ElementType,
    littleEndian: descr[1] !== '>',
    fortranOrder: order[1] === 'True',
    offset,
  };
}
