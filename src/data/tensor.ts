// Arrays of any number of axes, whole in memory: what attention takes. Halves may stay as they are stored.

import { open } from 'node:fs/promises';
import { DataError, UnsupportedError } from '../core/errors.ts';
import { decodeElements, type ElementType, elementBytes } from './element-type.ts';
import { readFully } from './file-matrix.ts';
import { readNpyHeader } from './npy.ts';
import { describeTensors, elementTypeOf, listTensors } from './safetensors.ts';

/** How the numbers of a tensor are held. */
export type TensorStorage = 'float32' | 'float16' | 'bfloat16';

/** A row-major array of any number of axes. */
export interface Tensor {
  /** Numbers, or the bits of halves. */
  data: Float32Array | Uint16Array;
  /** Entries along each axis; their product is `data.length`. */
  shape: number[];
  storage: TensorStorage;
}

export interface ReadTensorOptions {
  /**
   * Names to look for in a .safetensors file, the first that is there counts; letter case does not. Default: its only tensor. A .npy file
   * has no names.
   */
  names?: readonly string[] | undefined;
  /** 'keep': 16-bit floats stay as their bits. 'convert': everything becomes float32, halves exactly. Default 'convert'. */
  halves?: 'keep' | 'convert' | undefined;
}

/**
 * Reads an array of any shape from a .npy or .safetensors file. Float64 and integers are rounded to float32; NaN and infinities pass.
 *
 * @throws {DataError} missing, damaged or cut off; no such tensor, or several and no name
 * @throws {UnsupportedError} another extension, element type, or Fortran order with more than one axis longer than 1
 *
 * Time and memory O(entries).
 */
export async function readTensor(path: string, options: ReadTensorOptions = {}): Promise<Tensor> {
  const { shape, type, littleEndian, offset } = await locate(path, options.names);
  const count = shape.reduce((product, n) => product * n, 1);
  const bytes = new Uint8Array(count * elementBytes(type));
  await using file = await open(path);
  await readFully('readTensor', path, file, bytes, offset);
  const storage = type === 'f2' ? 'float16' : type === 'bf2' ? 'bfloat16' : 'float32';
  if (options.halves === 'keep' && storage !== 'float32') {
    return { data: halvesOf(bytes, littleEndian), shape, storage };
  }
  const data = new Float32Array(count);
  decodeElements(bytes, type, littleEndian, data);
  return { data, shape, storage: 'float32' };
}

interface Location {
  shape: number[];
  type: ElementType;
  littleEndian: boolean;
  /** Byte of the first number. */
  offset: number;
}

async function locate(path: string, names: readonly string[] | undefined): Promise<Location> {
  const where = 'readTensor';
  if (/\.safetensors$/i.test(path)) return locateNamed(where, path, names);
  if (!/\.npy$/i.test(path)) {
    throw new UnsupportedError(`${where}: ${path} is not read here; expected .npy or .safetensors.`);
  }
  const { fortranOrder, ...location } = await readNpyHeader(where, path);
  if (fortranOrder && location.shape.filter((n) => n > 1).length > 1) {
    throw new UnsupportedError(
      `${where}: ${path} is in Fortran order; expected C order. Save numpy.ascontiguousarray of it.`,
    );
  }
  return location;
}

async function locateNamed(
  where: string,
  path: string,
  names: readonly string[] | undefined,
): Promise<Location> {
  const tensors = await listTensors(path);
  const wanted = names?.map((name) => name.toLowerCase());
  const found =
    wanted === undefined
      ? tensors.length === 1
        ? tensors[0]
        : undefined
      : wanted
          .map((name) => tensors.find((tensor) => tensor.name.toLowerCase() === name))
          .find((tensor) => tensor !== undefined);
  if (found === undefined) {
    const asked = names === undefined ? `${tensors.length} tensors` : `no tensor "${names.join('" or "')}"`;
    throw new DataError(
      `${where}: ${path} holds ${asked}; expected the name of one of: ${describeTensors(tensors)}.`,
    );
  }
  const { shape, offset } = found;
  return { shape, offset, type: elementTypeOf(where, path, found), littleEndian: true };
}

function halvesOf(bytes: Uint8Array, littleEndian: boolean): Uint16Array {
  const view = new DataView(bytes.buffer);
  return Uint16Array.from({ length: bytes.length / 2 }, (_, i) => view.getUint16(2 * i, littleEndian));
}
