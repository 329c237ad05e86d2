// Policies side by side on one stream, at the same number of bytes.

import { requireInteger } from '../core/check.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import type { RunOptions } from '../core/progress.ts';
import { createRng } from '../core/rng.ts';
import { checkTokens, completeShape, requireCount } from './check-tokens.ts';
import { type CacheOptions, createCache, takesBudget } from './create-cache.ts';
import { oracleAnswer, oracleValueNorms, type TokenStream } from './oracle.ts';
import type { CachePolicy, CacheShape, KeyValueCache } from './types.ts';

export interface CompareOptions extends RunOptions {
  /** Policies with their options; `budget` is filled in. */
  policies: readonly ComparedPolicy[];
  /** Bytes each may hold, or rows per key head of the first policy, from which the bytes follow. */
  bytes?: number;
  budget?: number;
  /** Token counts at which the policies are asked, ascending. Default: the end of the stream. */
  checkpoints?: readonly number[];
  /** Queries asked at a checkpoint: of tokens spread over what came before it. Default 32. */
  queries?: number;
  /** Position of a token whose survival is watched. */
  needle?: number;
}

/** A policy's options without its budget, which equal bytes decide. */
export type ComparedPolicy = { name?: string } & WithoutBudget<CacheOptions>;

type WithoutBudget<Options> = Options extends CacheOptions ? Omit<Options, 'budget'> : never;

/** How one policy did at one checkpoint; errors are means over the queries and heads. */
export interface ComparisonRow {
  name: string;
  policy: CachePolicy;
  tokens: number;
  /** Rows kept, mean over the key heads. */
  rows: number;
  bytes: number;
  /** ‖õ − o‖ / ‖o‖. */
  relativeError: number;
  /** ‖õ − o‖ / (‖softmax‖₂ ‖V‖_op): what SubGen's theorem bounds. */
  theoremError: number;
  /** |l̃se − lse|, nats. */
  lseError: number;
  /** Share of key heads that keep the needle; undefined without one. */
  needle: number | undefined;
  /** Microseconds per token appended since the last checkpoint, and per query asked. */
  appendMicroseconds: number;
  queryMicroseconds: number;
}

/**
 * Streams tokens through several caches and holds each answer against exact attention over all tokens so far.
 *
 * @param shape - of the layer @param stream - all tokens
 * @returns one row per policy and checkpoint, in that order
 * @throws {InvalidArgumentError} neither `bytes` nor `budget` is given, or checkpoints do not ascend within the stream
 *
 * Time O(checkpoints · queries · tokens · dim) for the exact answers, besides the caches' own.
 */
export async function comparePolicies(
  shape: CacheShape,
  stream: TokenStream,
  options: CompareOptions,
): Promise<ComparisonRow[]> {
  const layer = completeShape('comparePolicies', shape);
  const total = checkTokens(layer, stream.keys, stream.values, stream.queries);
  requireCount('comparePolicies: stream.queries', stream.queries, total * layer.heads * layer.dim, total);
  const { policies, checkpoints = [total], queries = 32, needle, signal, onProgress } = options;
  requireInteger('comparePolicies: queries', queries, 1);
  if (checkpoints.some((at, i) => at > total || at <= (checkpoints[i - 1] ?? 0))) {
    throw new InvalidArgumentError(
      `comparePolicies: checkpoints are ${checkpoints.join(', ')}; expected ascending counts from 1 to ${total}.`,
    );
  }
  const bytes = await bytesWanted(layer, options);
  const rows: ComparisonRow[] = [];
  for (const [i, wanted] of policies.entries()) {
    const { name = wanted.policy, ...own } = wanted;
    const cache = createCache(layer, await withBudget(layer, own as CacheOptions, bytes));
    let done = 0;
    for (const tokens of checkpoints) {
      signal?.throwIfAborted();
      onProgress?.({ phase: name, done: i * total + tokens, total: policies.length * total });
      const part = partOf(layer, stream, done, tokens);
      const start = performance.now();
      await cache.append(part.keys, part.values, { queries: part.queries, signal });
      const appendMicroseconds = (1000 * (performance.now() - start)) / (tokens - done);
      done = tokens;
      const errors = await measure(layer, stream, cache, Math.min(queries, tokens));
      const kept = Array.from({ length: layer.keyHeads }, (_, head) => cache.kept(head));
      rows.push({
        ...{ name, policy: cache.policy, tokens, bytes: cache.bytes().total, appendMicroseconds },
        rows: kept.reduce((sum, list) => sum + list.length, 0) / layer.keyHeads,
        ...errors,
        needle:
          needle === undefined
            ? undefined
            : kept.filter((list) => list.some(({ position }) => position === needle)).length / layer.keyHeads,
      });
    }
  }
  return rows;
}

async function measure(
  layer: Required<CacheShape>,
  stream: TokenStream,
  cache: KeyValueCache,
  count: number,
) {
  const { heads, dim, valueDim } = layer;
  const norms = oracleValueNorms(layer, stream, cache.tokens);
  const sums = { relativeError: 0, theoremError: 0, lseError: 0, queryMicroseconds: 0 };
  for (let q = 0; q < count; q++) {
    const token = Math.floor(((q + 0.5) * cache.tokens) / count);
    const query = stream.queries.slice(token * heads * dim, (token + 1) * heads * dim);
    const start = performance.now();
    const { output, lse } = await cache.attend(query);
    sums.queryMicroseconds += (1000 * (performance.now() - start)) / count;
    for (let head = 0; head < heads; head++) {
      const own = query.subarray(head * dim, (head + 1) * dim);
      const exact = oracleAnswer(layer, stream, cache.tokens, head, own);
      let [error, size] = [0, 0];
      for (let c = 0; c < valueDim; c++) {
        error += (output[head * valueDim + c] - exact.output[c]) ** 2;
        size += exact.output[c] ** 2;
      }
      const share = 1 / (count * heads);
      const norm = norms[Math.floor((head * layer.keyHeads) / heads)];
      if (size > 0) sums.relativeError += share * Math.sqrt(error / size);
      if (norm > 0) sums.theoremError += (share * Math.sqrt(error)) / (exact.softmaxNorm * norm);
      sums.lseError += share * Math.abs(lse[head] - exact.lse);
    }
  }
  return sums;
}

async function bytesWanted(
  layer: Required<CacheShape>,
  { policies, bytes, budget }: CompareOptions,
): Promise<number> {
  if (bytes !== undefined) {
    requireInteger('comparePolicies: bytes', bytes, 1);
    return bytes;
  }
  if (budget === undefined) {
    throw new InvalidArgumentError(
      'comparePolicies: neither bytes nor budget is given; expected one of them.',
    );
  }
  requireInteger('comparePolicies: budget', budget, 1);
  const { name: _, ...first } = policies.find(({ policy }) => takesBudget(policy)) ?? {
    policy: 'full' as const,
  };
  return bytesAt(layer, first as CacheOptions, budget);
}

/**
 * The options with the largest budget whose state, once spent, is within the bytes: policies with more bookkeeping keep fewer rows. A policy without
 * a budget stays as it is.
 *
 * @throws {InvalidArgumentError} as `createCache`, for the shape
 *
 * Time: a dozen caches are filled.
 */
export async function withinBytes(
  shape: CacheShape,
  options: ComparedPolicy,
  bytes: number,
): Promise<CacheOptions> {
  requireInteger('withinBytes: bytes', bytes, 1);
  const { name: _, ...own } = options;
  return withBudget(completeShape('withinBytes', shape), own as CacheOptions, bytes);
}

async function withBudget(
  layer: Required<CacheShape>,
  options: CacheOptions,
  bytes: number,
): Promise<CacheOptions> {
  if (!takesBudget(options.policy)) return options;
  let low = 0;
  let high = 1;
  while ((await bytesAt(layer, options, high)) <= bytes) [low, high] = [high, 2 * high];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((await bytesAt(layer, options, middle)) <= bytes) low = middle;
    else high = middle;
  }
  return { ...options, budget: low } as CacheOptions;
}

/** Bytes of a cache whose budget is spent, on tokens all different; 0 where the budget is too small to be one. */
async function bytesAt(layer: Required<CacheShape>, options: CacheOptions, budget: number): Promise<number> {
  const { keyHeads, heads, dim, valueDim } = layer;
  let cache: KeyValueCache;
  try {
    cache = createCache(layer, { ...options, budget } as CacheOptions);
  } catch (error) {
    if (error instanceof InvalidArgumentError) return 0;
    throw error;
  }
  const tokens = budget + 1;
  const rng = createRng(0);
  const keys = Float32Array.from({ length: tokens * keyHeads * dim }, () => rng.next());
  const queries = new Float32Array(tokens * heads * dim);
  await cache.append(keys, new Float32Array(tokens * keyHeads * valueDim), { queries });
  return cache.bytes().total;
}

function partOf(
  { heads, keyHeads, dim, valueDim }: Required<CacheShape>,
  stream: TokenStream,
  from: number,
  to: number,
): TokenStream {
  const cut = (array: Float32Array, width: number) => array.subarray(from * width, to * width);
  return {
    keys: cut(stream.keys, keyHeads * dim),
    values: cut(stream.values, keyHeads * valueDim),
    queries: cut(stream.queries, heads * dim),
  };
}
