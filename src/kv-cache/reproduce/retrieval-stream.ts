// A planted stream with questions about it: most about clusters of tokens, some about a single one like no other.

import { requireInteger } from '../../core/check.ts';
import { createRng } from '../../core/rng.ts';
import { plantedStream } from '../../data/datasets/index.ts';
import type { CacheShape, TokenStream } from '../index.ts';

export interface RetrievalOptions {
  /** Tokens, ≥ 3. Default 2000. */
  rows?: number | undefined;
  /** Of keys and values. Default 32. */
  dim?: number | undefined;
  /** Groups of keys. Default 64. */
  clusters?: number | undefined;
  /** Logit of a question with the tokens it is about, about. Default 8. */
  strength?: number | undefined;
  /** The same of the question about the needle: large enough to outweigh all others together. Default 12. */
  needleStrength?: number | undefined;
  /** Default 0. */
  seed?: number | undefined;
}

export interface RetrievalStream {
  shape: CacheShape;
  /** One head; the query of a token asks about the group of another, drawn uniformly. */
  stream: TokenStream;
  /** Position of the token like no other, a third into the stream. */
  needle: number;
  /** The question about the needle, shape (dim,). */
  needleQuery: Float32Array;
}

/** @throws {InvalidArgumentError} an option leaves its range */
export function plantedRetrieval({
  rows = 2000,
  dim = 32,
  clusters = 64,
  strength = 8,
  needleStrength = 12,
  seed = 0,
}: RetrievalOptions = {}): RetrievalStream {
  requireInteger('plantedRetrieval: rows', rows, 3);
  const { keys, values, centers } = plantedStream({ rows, dim, clusters, seed });
  const rng = createRng(seed).fork('questions');
  const needle = Math.floor(rows / 3);
  for (let p = 0; p < dim; p++) {
    keys.data[needle * dim + p] = rng.normal();
    values.data[needle * dim + p] = 2 * rng.normal();
  }
  const scale = 1 / Math.sqrt(dim);
  const question = (about: Float32Array, logit: number): Float32Array => {
    const square = about.reduce((sum, x) => sum + x * x, 0);
    return about.map((x) => (logit * x) / (scale * square));
  };
  const queries = new Float32Array(rows * dim);
  for (let i = 0; i < rows; i++) {
    const group = rng.integer(clusters);
    queries.set(question(centers.data.subarray(group * dim, (group + 1) * dim), strength), i * dim);
  }
  return {
    shape: { heads: 1, keyHeads: 1, dim, valueDim: dim, scale },
    stream: { keys: keys.data, values: values.data, queries },
    needle,
    needleQuery: question(keys.data.subarray(needle * dim, (needle + 1) * dim), needleStrength),
  };
}
