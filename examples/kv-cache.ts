// A stream of 4000 tokens in a cache of 160 rows: the answer, what is certain of it, and what exact attention over all tokens says.

import { plantedStream } from 'provably/datasets';
import { createCache, oracleAnswer, restoreCache } from 'provably/kv-cache';

const dim = 32;
const shape = { heads: 2, keyHeads: 1, dim, valueDim: dim }; // two query heads share one key head
const { keys, values, centers } = plantedStream({ rows: 4000, dim, clusters: 48 });

const cache = createCache(shape, { policy: 'hybrid', budget: 160, recent: 64 });
await cache.append(keys.data.subarray(0, 2000 * dim), values.data.subarray(0, 2000 * dim));

// Saved and restored, it goes on as if it had never stopped.
const restored = restoreCache(cache.save());
await restored.append(keys.data.subarray(2000 * dim), values.data.subarray(2000 * dim));

const queries = centers.data.slice(0, 2 * dim).map((x) => x / 2);
const { output, lse, interval } = await restored.attend(queries, { interval: true });

const stream = { keys: keys.data, values: values.data, queries };
const full = { ...shape, scale: 1 / Math.sqrt(dim), storage: 'float32' as const };
for (const head of [0, 1]) {
  const exact = oracleAnswer(full, stream, 4000, head, queries.subarray(head * dim, (head + 1) * dim));
  const error = Math.hypot(...exact.output.map((x, c) => x - output[head * dim + c]));
  const bound = interval?.outputError[head] ?? Infinity;
  console.log(
    `head ${head}: lse ${lse[head].toFixed(4)} (exact ${exact.lse.toFixed(4)}), output off by ${error.toPrecision(2)}, certainly by at most ${bound.toPrecision(2)}`,
  );
  if (!(error <= bound)) throw new Error('the interval does not hold');
}

const fullBytes = 4000 * 2 * dim * 4;
console.log(`${restored.bytes().total} bytes; all keys and values would take ${fullBytes}.`);
