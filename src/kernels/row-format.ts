// How the rows of keys and of values lie in memory, by storage: one array each, rows without gaps.

import { fromHalf, type HalfStorage, putHalf } from './half.ts';
import { type QuantisedRows, quantisedRows, type RowBits } from './quantised-rows.ts';

/** Plain numbers: float32, or halves by their bits. */
export type FloatStorage = 'float32' | HalfStorage;

/** A few bits a number, a scale a row: k4v3 has 4 bits for keys and 3 for values. */
export type QuantisedStorage = 'k8v8' | 'k4v4' | 'k4v3' | 'k4v2';

/** How keys and values are stored; sums are always float32. */
export type KeyValueStorage = FloatStorage | QuantisedStorage;

export type StoredArray = Float32Array | Uint16Array | Uint8Array;

/** In the order of `Storage` in native/kernels.h. */
export const STORAGES = ['float32', 'float16', 'bfloat16', 'k8v8', 'k4v4', 'k4v3', 'k4v2'] as const;

export const FLOAT_STORAGES: readonly FloatStorage[] = ['float32', 'float16', 'bfloat16'];

export function isFloatStorage(storage: KeyValueStorage): storage is FloatStorage {
  return (FLOAT_STORAGES as readonly string[]).includes(storage);
}

const BITS: Record<QuantisedStorage, { keys: RowBits; values: RowBits }> = {
  k8v8: { keys: 8, values: 8 },
  k4v4: { keys: 4, values: 4 },
  k4v3: { keys: 4, values: 3 },
  k4v2: { keys: 4, values: 2 },
};

/** Rows of `dim` numbers in one array. */
export interface RowFormat {
  readonly Stored: Float32ArrayConstructor | Uint16ArrayConstructor | Uint8ArrayConstructor;
  /** Entries of the array that a row takes. */
  readonly width: number;
  /** Writes a row. @param numbers - shape (dim,), finite */
  put(numbers: Float32Array, to: StoredArray, row: number): void;
  /** Rows [row, row + rows) as numbers, shape (rows, dim); of float32 a view. */
  get(from: StoredArray, row: number, rows?: number): Float32Array;
  /** Whether entry `at` of an array can be part of finite numbers. */
  isFinite(array: StoredArray, at: number): boolean;
}

/** @param part - keys and values may have different numbers of bits */
export function rowFormat(storage: KeyValueStorage, part: 'keys' | 'values', dim: number): RowFormat {
  if (storage === 'float32') return floatRows(dim);
  if (storage === 'float16' || storage === 'bfloat16') return halfRows(dim, storage);
  return fewBitRows(dim, quantisedRows(dim, BITS[storage][part]));
}

/** Bytes of a row of `dim` numbers. */
export function rowBytes(storage: KeyValueStorage, part: 'keys' | 'values', dim: number): number {
  const { Stored, width } = rowFormat(storage, part, dim);
  return Stored.BYTES_PER_ELEMENT * width;
}

function floatRows(dim: number): RowFormat {
  return {
    ...{ Stored: Float32Array, width: dim },
    put: (numbers, to, row) => to.set(numbers, row * dim),
    get: (from, row, rows = 1) => from.subarray(row * dim, (row + rows) * dim) as Float32Array,
    isFinite: (array, at) => Number.isFinite(array[at]),
  };
}

function halfRows(dim: number, storage: HalfStorage): RowFormat {
  const exponent = storage === 'float16' ? 0x7c00 : 0x7f80;
  return {
    ...{ Stored: Uint16Array, width: dim },
    put: (numbers, to, row) => putHalf(numbers, to as Uint16Array, row * dim, storage),
    get: (from, row, rows = 1) =>
      fromHalf((from as Uint16Array).subarray(row * dim, (row + rows) * dim), storage),
    isFinite: (array, at) => (array[at] & exponent) !== exponent,
  };
}

function fewBitRows(dim: number, { rowBytes, put, get }: QuantisedRows): RowFormat {
  return {
    ...{ Stored: Uint8Array, width: rowBytes },
    put: (numbers, to, row) => put(numbers, to as Uint8Array, row),
    get(from, row, rows = 1) {
      if (rows === 1) return get(from as Uint8Array, row);
      const numbers = new Float32Array(rows * dim);
      for (let i = 0; i < rows; i++) numbers.set(get(from as Uint8Array, row + i), i * dim);
      return numbers;
    },
    // The last two bytes of a row are its scale's, of which the exponent lies in the last and the top bit of the one before.
    isFinite: (array, at) =>
      at % rowBytes !== rowBytes - 1 || (array[at] & 0x7f) !== 0x7f || array[at - 1] < 0x80,
  };
}
