// A stream of tokens: from a dump of keys and values, or planted.

import type { StoredHeadTensor } from '../../attention/index.ts';
import { DataError } from '../../core/errors.ts';
import { fromHalf } from '../../kernels/index.ts';
import type { CacheShape, TokenStream } from '../../kv-cache/index.ts';
import { plantedRetrieval } from '../../kv-cache/reproduce/retrieval-stream.ts';
import { readHeadTensors } from '../head-tensors.ts';
import type { CacheFlags } from './flags.ts';

export interface StreamSource {
  /** Where it comes from, in words. */
  description: string;
  shape: CacheShape;
  stream: TokenStream;
  tokens: number;
  /** Position of a token whose survival is watched. */
  needle: number | undefined;
}

/** @throws {DataError} tensors that do not fit each other, or a batch of several sequences */
export async function openStream(files: readonly string[], flags: CacheFlags): Promise<StreamSource> {
  const scale = flags.scale === undefined ? {} : { scale: flags.scale };
  if (flags.planted) {
    const { n = 2000, dim, clusters, seed } = flags;
    const planted = plantedRetrieval({ rows: n, dim, clusters, seed });
    const { needle = planted.needle } = flags;
    return {
      description: 'planted: keys in clusters, and one token like no other',
      shape: { ...planted.shape, ...scale },
      ...{ stream: planted.stream, tokens: n, needle },
    };
  }
  const { keys, values, queries } = await readHeadTensors(files, flags, 'optional');
  const where = files.join(' ');
  for (const { batch } of [keys, values, ...(queries ? [queries] : [])]) {
    if (batch !== 1)
      throw new DataError(`${where}: a batch of ${batch} sequences; expected one. Take a slice of it.`);
  }
  // Without queries every token asks with its own key: what is near itself.
  const asking = queries ?? keys;
  const tokens = keys.rows;
  for (const [name, rows] of Object.entries({ values: values.rows, queries: asking.rows })) {
    if (rows !== tokens)
      throw new DataError(`${where}: ${tokens} keys and ${rows} ${name}; expected as many. Cut the longer.`);
  }
  const { needle } = flags;
  if (needle !== undefined && needle >= tokens)
    throw new DataError(`${where}: --needle ${needle}; expected a position below ${tokens}.`);
  return {
    description: `${where}${queries ? '' : ', every key as its own query'}`,
    shape: {
      ...{ heads: asking.heads, keyHeads: keys.heads, dim: keys.cols, valueDim: values.cols },
      ...scale,
    },
    stream: { keys: byToken(keys), values: byToken(values), queries: byToken(asking) },
    ...{ tokens, needle },
  };
}

/** (heads, n, d) → (n, heads, d), as float32. */
function byToken({ data, storage = 'float32', heads, rows, cols }: StoredHeadTensor): Float32Array {
  const numbers = storage === 'float32' ? (data as Float32Array) : fromHalf(data as Uint16Array, storage);
  if (heads === 1) return numbers;
  const turned = new Float32Array(numbers.length);
  for (let head = 0; head < heads; head++)
    for (let token = 0; token < rows; token++) {
      const from = (head * rows + token) * cols;
      turned.set(numbers.subarray(from, from + cols), (token * heads + head) * cols);
    }
  return turned;
}
