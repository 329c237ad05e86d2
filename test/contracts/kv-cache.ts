// How the contract suite calls a cache: a planted stream absorbed by SubGen, a few queries answered with a certificate.

import type { Certified } from '../../src/core/certificate.ts';
import { plantedStream } from '../../src/data/datasets/index.ts';
import { certifiedAttend, createCache } from '../../src/kv-cache/index.ts';
import type { SystemContract } from '../contract.ts';

interface CacheInput {
  keys: Float32Array;
  values: Float32Array;
  queries: Float32Array;
}

const dim = 8;

function streamOf(rows: number): CacheInput {
  const { keys, values, centers } = plantedStream({ rows, dim, clusters: 5, seed: 1 });
  return { keys: keys.data, values: values.data, queries: centers.data.map((x) => x / 4) };
}

export const cacheContract: SystemContract<CacheInput> = {
  name: 'kv-cache',
  regular: () => streamOf(300),
  smallest: () => streamOf(1),
  withNaN() {
    const input = this.regular();
    input.keys[dim * 7 + 2] = Number.NaN;
    return { input, where: /token 7/ };
  },
  long: () => streamOf(20_000),
  async run({ keys, values, queries }, { seed, signal, onProgress }): Promise<Certified<unknown>> {
    const shape = { heads: 1, keyHeads: 1, dim, valueDim: dim };
    const cache = createCache(shape, {
      ...{ policy: 'subgen', delta: 0.5, clusterSamples: 16, valueSamples: 4000, seed },
    });
    signal?.throwIfAborted();
    await cache.append(keys, values, { signal, onProgress });
    return certifiedAttend(cache, queries);
  },
};
