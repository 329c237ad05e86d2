// Queries, keys and values from files: one .safetensors with names, or a .npy file each.

import type { HeadTensor, StoredHeadTensor } from '../attention/index.ts';
import { DataError } from '../core/errors.ts';
import { readTensor, type Tensor } from '../data/index.ts';
import { UsageError } from './failure.ts';

/** Names of the tensors in a .safetensors file, where they are given. */
export interface TensorNames {
  queries?: string | undefined;
  keys?: string | undefined;
  values?: string | undefined;
}

export interface HeadTensors {
  /** Always float32. */
  queries: HeadTensor | undefined;
  /** Halves as stored, when keys and values are stored alike. */
  keys: StoredHeadTensor;
  values: StoredHeadTensor;
  /** Axes of the values in their file: results are written with as many. */
  axes: number;
}

const usualNames = {
  queries: ['q', 'queries', 'query'],
  keys: ['k', 'keys', 'key'],
  values: ['v', 'values', 'value'],
} as const;

/** @throws {UsageError} so many files of such names cannot be meant. Said before any is opened */
export function checkTensorFiles(
  files: readonly string[],
  names: TensorNames,
  queries: 'needed' | 'optional',
): void {
  const named = files.length === 1 && /\.safetensors$/i.test(files[0]);
  const counts = queries === 'needed' ? [3] : [2, 3];
  const wanted = queries === 'needed' ? 'Q.npy K.npy V.npy' : 'K.npy V.npy or Q.npy K.npy V.npy';
  if (!named && !counts.includes(files.length)) {
    throw new UsageError(`${files.length} files are given; expected one .safetensors, or ${wanted}.`);
  }
  const given = Object.entries(names).find(([, name]) => name !== undefined);
  if (!named && given) {
    throw new UsageError(
      `--${given[0]} ${given[1]} names a tensor of a .safetensors file; ${files.length} files need no names.`,
    );
  }
}

/**
 * Reads (n, d), (heads, n, d) or (batch, heads, n, d) tensors.
 *
 * @param queries - 'optional': undefined where the file has none and none is named
 * @throws {DataError} missing or damaged, no such tensor, or axes that are not those
 */
export async function readHeadTensors(
  files: readonly string[],
  names: TensorNames,
  queries: 'needed' | 'optional',
): Promise<HeadTensors> {
  const [first, last] = [files[0], files[files.length - 1]];
  const places =
    files.length === 1
      ? { queries: first, keys: first, values: first }
      : { queries: files.length === 3 ? first : undefined, keys: files[files.length - 2], values: last };
  const read = (what: keyof TensorNames, path: string, halves: 'keep' | 'convert') => {
    const wanted = names[what] === undefined ? usualNames[what] : [names[what]];
    return readTensor(path, { halves, ...(files.length === 1 ? { names: wanted } : {}) });
  };
  let keys = await read('keys', places.keys, 'keep');
  let values = await read('values', places.values, 'keep');
  if (keys.storage !== values.storage) {
    keys = await read('keys', places.keys, 'convert');
    values = await read('values', places.values, 'convert');
  }
  const asked = queries === 'needed' || names.queries !== undefined || files.length === 3;
  const found = await readQueries(asked);
  return {
    queries: found && (headsOf(places.queries ?? first, found) as HeadTensor),
    keys: headsOf(places.keys, keys),
    values: headsOf(places.values, values),
    axes: values.shape.length,
  };

  async function readQueries(required: boolean): Promise<Tensor | undefined> {
    if (places.queries === undefined) return undefined;
    try {
      return await read('queries', places.queries, 'convert');
    } catch (error) {
      if (!required && error instanceof DataError && /holds no tensor/.test(error.message)) return undefined;
      throw error;
    }
  }
}

function headsOf(path: string, { data, shape, storage }: Tensor): StoredHeadTensor {
  if (shape.length < 2 || shape.length > 4) {
    throw new DataError(
      `${path}: a tensor of shape (${shape.join(', ')}); expected (n, d), (heads, n, d) or (batch, heads, n, d). Reshape it.`,
    );
  }
  const [batch, heads, rows, cols] = [...Array(4 - shape.length).fill(1), ...shape];
  return { data, batch, heads, rows, cols, ...(storage === 'float32' ? {} : { storage }) };
}

/** The shape of a result like its input: without the axes of length 1 that were not there. */
export function shapeWithAxes({ batch, heads, rows, cols }: HeadTensor, axes: number): number[] {
  return [batch, heads, rows, cols].slice(4 - axes);
}
