// Key-value caches of 8 heads, d = 64, float32. Error: ‖Õ − O‖ / ‖O‖ over all heads against exact attention over every token absorbed;
// of bytes, the difference to the prediction.

import { availableParallelism } from 'node:os';
import type { AttentionInput } from '../../../src/attention/index.ts';
import { plantedStream } from '../../../src/data/datasets/index.ts';
import {
  type AppendOptions,
  type CacheOptions,
  createCache,
  type KeyValueCache,
} from '../../../src/kv-cache/index.ts';
import { errorAgainstOracle, plantedInput, requireExact } from '../attention-input.ts';
import { predictedBytes } from '../cache-bytes.ts';
import { EXACT_PEERS, type ExactPeerName, openExactPeer } from '../exact-peers.ts';
import { type Case, type Contest, type Once, timed } from '../measure.ts';
import { threadsText, useThreads } from '../threads.ts';

const HEADS = 8;
const DIM = 64;
const SHAPE = { heads: HEADS, keyHeads: HEADS, dim: DIM, valueDim: DIM };
const LONG = 32_768;
const BUDGET = 2048;
const FLOAT = 4;
/** A round of one contest of decodes takes a few milliseconds: many, as others use the machine too. */
const ROUNDS = 61;

interface Policy {
  options: CacheOptions;
  /** Absorbing 32 768 tokens takes seconds, not minutes. */
  isQuick: boolean;
}

const POLICIES: Record<string, Policy> = {
  'sink-window': { options: { policy: 'sink-window', budget: BUDGET }, isQuick: true },
  uniform: { options: { policy: 'uniform', budget: BUDGET, weighted: true }, isQuick: true },
  snapkv: { options: { policy: 'snapkv', budget: BUDGET }, isQuick: true },
  h2o: { options: { policy: 'h2o', budget: BUDGET }, isQuick: false },
  keydiff: { options: { policy: 'keydiff', budget: BUDGET }, isQuick: false },
  hybrid: { options: { policy: 'hybrid', budget: BUDGET }, isQuick: true },
};

export function* cases(): Generator<Case | Once> {
  const cores = availableParallelism();
  for (const threads of cores > 1 ? [1, 2] : [1])
    for (const peer of EXACT_PEERS)
      yield {
        name: `exact decode n=${LONG} d=64 h=8 ${threadsText(threads)} vs ${peer}`,
        // Every key and value is read once.
        ...{ unit: 'GB/s', work: (2 * LONG * HEADS * DIM * FLOAT) / 1e9, rounds: 15 },
        setUp: () => exactDecode(threads, peer),
      };
  yield {
    name: `decode full cache n=${BUDGET} vs full cache n=${LONG}`,
    ...{ unit: 's', work: 1, rounds: ROUNDS },
    setUp: () => contest({ policy: 'full' }, BUDGET, { policy: 'full' }, LONG),
  };
  for (const [name, { options, isQuick }] of Object.entries(POLICIES)) {
    if (!isQuick) continue;
    for (const rows of [BUDGET, LONG])
      yield {
        name: `decode ${name} budget=${BUDGET} n=${LONG} vs full cache n=${rows}`,
        ...{ unit: 's', work: 1, rounds: ROUNDS },
        setUp: () => contest(options, LONG, { policy: 'full' }, rows),
      };
    yield {
      name: `decode ${name} budget=${BUDGET} n=${LONG} vs itself n=${BUDGET}`,
      ...{ unit: 's', work: 1, rounds: ROUNDS },
      setUp: () => contest(options, LONG, options, BUDGET),
    };
  }
  for (const [name, { options }] of Object.entries(POLICIES)) {
    yield {
      name: `append a token ${name} budget=${BUDGET} vs a decode of the same cache`,
      ...{ unit: 's', work: 1, rounds: 5 },
      setUp: () => appendContest(options),
    };
    yield {
      name: `bytes ${name} budget=${BUDGET} n=${2 * BUDGET} vs predicted`,
      run: () => bytesAsPredicted(options),
    };
  }
}

async function exactDecode(threads: number, name: ExactPeerName): Promise<Contest> {
  const input = plantedInput({ heads: HEADS, rows: LONG, queryRows: 1 });
  const cache = createCache(SHAPE, { policy: 'full' });
  await cache.append(byToken(input.keys.data as Float32Array), byToken(input.values.data as Float32Array));
  const restore = useThreads(threads);
  const peer = await openExactPeer(name, input, threads);
  const attend = () => cache.attend(input.queries.data);
  return {
    async check() {
      const errorOf = errorAgainstOracle(input);
      await peer.run();
      requireExact(name, errorOf(await peer.output()));
      return requireExact('full cache', errorOf((await attend()).output));
    },
    ours: () => timed(attend),
    peer: () => peer.run(),
    async [Symbol.asyncDispose]() {
      restore();
      await peer[Symbol.asyncDispose]();
    },
  };
}

/** A cache after so many tokens against another after so many, on all threads, in seconds of one decode. */
async function contest(
  options: CacheOptions,
  tokens: number,
  peerOptions: CacheOptions,
  peerTokens: number,
): Promise<Contest> {
  const stream = streamOf(tokens);
  const ours = await filled(options, stream);
  const peer = await filled(peerOptions, streamOf(peerTokens));
  return {
    async check() {
      const error = errorAgainstOracle(stream.input)((await ours.attend(stream.input.queries.data)).output);
      return options.policy === 'full' ? requireExact('full cache', error) : error;
    },
    ours: () => secondsOfDecode(ours, stream),
    peer: () => secondsOfDecode(peer, stream),
    async [Symbol.asyncDispose]() {},
  };
}

/** One decode is too short to time alone. */
async function secondsOfDecode(cache: KeyValueCache, { input }: Stream, repeats = 20): Promise<number> {
  const seconds = await timed(async () => {
    for (let i = 0; i < repeats; i++) await cache.attend(input.queries.data);
  });
  return seconds / repeats;
}

/** Token after token beyond the budget, as a model appends them; against the decode that each of them comes with. */
async function appendContest(options: CacheOptions): Promise<Contest> {
  const repeats = 64;
  const stream = streamOf(2 * BUDGET);
  const cache = await filled(options, stream);
  const width = HEADS * DIM;
  let next = 0; // the stream again from its start
  return {
    async check() {
      const error = errorAgainstOracle(stream.input)((await cache.attend(stream.input.queries.data)).output);
      for (let i = 0; i < repeats; i++) await cache.attend(stream.input.queries.data); // warm
      return error;
    },
    ours: async () => {
      const seconds = await timed(async () => {
        for (let i = 0; i < repeats; i++, next = (next + 1) % (2 * BUDGET)) {
          const [from, to] = [next * width, (next + 1) * width];
          const keys = stream.keys.subarray(from, to);
          await cache.append(keys, stream.values.subarray(from, to), queriesFor(options, keys));
        }
      });
      return seconds / repeats;
    },
    peer: () => secondsOfDecode(cache, stream, repeats),
    async [Symbol.asyncDispose]() {},
  };
}

async function bytesAsPredicted(options: CacheOptions) {
  const tokens = 2 * BUDGET;
  const cache = await filled(options, streamOf(tokens));
  const { total } = cache.bytes();
  const predicted = predictedBytes(options.policy, { heads: HEADS, dim: DIM, budget: BUDGET, tokens });
  if (total !== predicted)
    throw new Error(`a cache of policy "${options.policy}" holds ${total} bytes, predicted ${predicted}.`);
  return { ours: total, peer: predicted, unit: 'bytes', ratio: predicted / total, error: 0 };
}

interface Stream {
  /** Shape (tokens, heads, dim), as `append` takes them. */
  keys: Float32Array;
  values: Float32Array;
  /** The same by head, and for each head a query that is one of its centers: its logits with that group are about √d. */
  input: AttentionInput;
}

const streams = new Map<number, Stream>();

/** Keys that cluster, another seed for each head. */
function streamOf(tokens: number): Stream {
  const known = streams.get(tokens);
  if (known) return known;
  const tensor = (rows: number) => {
    const data = new Float32Array(HEADS * rows * DIM);
    return { data, batch: 1, heads: HEADS, rows, cols: DIM };
  };
  const input = { queries: tensor(1), keys: tensor(tokens), values: tensor(tokens) };
  for (let head = 0; head < HEADS; head++) {
    const { keys, values, centers } = plantedStream({ rows: tokens, dim: DIM, seed: head });
    input.queries.data.set(centers.data.subarray(0, DIM), head * DIM);
    input.keys.data.set(keys.data, head * tokens * DIM);
    input.values.data.set(values.data, head * tokens * DIM);
  }
  const stream = { keys: byToken(input.keys.data), values: byToken(input.values.data), input };
  streams.set(tokens, stream);
  return stream;
}

/** (heads, rows, dim) to (rows, heads, dim). */
function byToken(data: Float32Array): Float32Array {
  const rows = data.length / (HEADS * DIM);
  const turned = new Float32Array(data.length);
  for (let head = 0; head < HEADS; head++)
    for (let t = 0; t < rows; t++) {
      const from = (head * rows + t) * DIM;
      turned.set(data.subarray(from, from + DIM), (t * HEADS + head) * DIM);
    }
  return turned;
}

async function filled(options: CacheOptions, { keys, values }: Stream): Promise<KeyValueCache> {
  const cache = createCache(SHAPE, options);
  await cache.append(keys, values, queriesFor(options, keys));
  return cache;
}

/** Policies that score by attention see the keys as queries too: every token looks for its own group. */
function queriesFor({ policy }: CacheOptions, keys: Float32Array): AppendOptions {
  return policy === 'h2o' || policy === 'snapkv' ? { queries: keys } : {};
}
