// For tests: attention inputs with fixed random entries.

import {
  type AttentionInput,
  type HeadTensor,
  type HyperOptions,
  hyperAttention,
} from '../src/attention/index.ts';
import type { Matrix32 } from '../src/core/matrix.ts';
import { createRng } from '../src/core/rng.ts';
import { plantedAttention } from '../src/data/datasets/index.ts';

export interface InputShape {
  batch?: number;
  heads?: number;
  keyHeads?: number;
  queryRows?: number;
  keyRows?: number;
  dim?: number;
  valueDim?: number;
  /** Standard deviation of queries and keys. */
  size?: number;
  seed?: number;
}

/** Normal entries. */
export function randomInput(shape: InputShape = {}): AttentionInput {
  const {
    batch = 1,
    heads = 1,
    keyHeads = heads,
    queryRows = 40,
    keyRows = queryRows,
    dim = 8,
    seed = 0,
  } = shape;
  const { valueDim = dim, size = 1 } = shape;
  const rng = createRng(seed);
  const tensor = (count: number, rows: number, cols: number, spread: number): HeadTensor => ({
    data: Float32Array.from({ length: batch * count * rows * cols }, () => spread * rng.normal()),
    ...{ batch, heads: count, rows, cols },
  });
  return {
    queries: tensor(heads, queryRows, dim, size),
    keys: tensor(keyHeads, keyRows, dim, size),
    values: tensor(keyHeads, keyRows, valueDim, 1),
  };
}

/** One head of planted data. */
export function plantedInput(options: Parameters<typeof plantedAttention>[0] = {}): AttentionInput {
  const { queries, keys, values } = plantedAttention(options);
  return { queries: oneHead(queries), keys: oneHead(keys), values: oneHead(values) };
}

/**
 * An input where blocks of 16 keys without samples are wrong by all they can be, in `hidden` of the rows, and right in the others: ‖Õ − O‖_op = 2√hidden, ‖P‖_op = 1,
 * ‖V‖_op = √rows, whatever the seed.
 *
 * The first `hidden` keys have value 1 and lie opposite to all queries and to the other keys, whose value is −1, so no block of a query holds one of them; a bias makes
 * row i < hidden attend to key i alone, and keeps all other rows away from these keys.
 */
export function hiddenKeysInput(rows: number, hidden: number): AttentionInput {
  const head = (cols: number, entry: (row: number) => number): HeadTensor => ({
    data: Float32Array.from({ length: rows * cols }, (_, i) => entry(Math.floor(i / cols))),
    ...{ batch: 1, heads: 1, rows, cols },
  });
  return {
    queries: head(2, () => 1),
    keys: head(2, (j) => (j < hidden ? -1 : 1)),
    values: head(1, (j) => (j < hidden ? 1 : -1)),
    scale: 2 ** -30,
    bias: Float32Array.from({ length: rows * rows }, (_, at) => {
      const [i, j] = [Math.floor(at / rows), at % rows];
      return j >= hidden ? 0 : i === j ? 60 : -60;
    }),
  };
}

export function oneHead({ data, rows, cols }: Matrix32): HeadTensor {
  return { data, batch: 1, heads: 1, rows, cols };
}

/** ‖a − b‖ / ‖b‖. */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [error, size] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    error += (a[i] - b[i]) ** 2;
    size += b[i] ** 2;
  }
  return Math.sqrt(error / size);
}

/** The largest |a − b|. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < b.length; i++) if (a[i] !== b[i]) most = Math.max(most, Math.abs(a[i] - b[i]));
  return most;
}

/** O of HyperAttention, without a certificate unless one is asked for. */
export async function hyperOutput(input: AttentionInput, options: HyperOptions): Promise<Float32Array> {
  return (await hyperAttention(input, { certifyRows: 0, ...options })).value.output.data;
}
