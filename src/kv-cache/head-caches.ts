// A cache whose key heads have budgets of their own: one cache of a single head each, behind the interface of all.

import { InvalidArgumentError, ShapeError } from '../core/errors.ts';
import { checkManyQueries, checkQueries, checkTokens } from './check-tokens.ts';
import { damaged, type SavedState } from './saved-state.ts';
import { encodeState } from './serialize.ts';
import type {
  AppendOptions,
  CacheAnswers,
  CacheAttention,
  CacheBytes,
  CacheInterval,
  CachePolicy,
  CacheShape,
  KeptToken,
  KeyValueCache,
} from './types.ts';

/** Makes the cache of one head, new or from what `save` returned. */
export interface HeadCacheMaker {
  create(shape: CacheShape, head: number): KeyValueCache;
  restore(bytes: Uint8Array): KeyValueCache;
}

/** Time and bytes are those of its heads; each head's decode is a call of its own. */
export class HeadCaches implements KeyValueCache {
  readonly policy: CachePolicy;
  readonly shape: Required<CacheShape>;
  private readonly options: readonly object[];
  private readonly maker: HeadCacheMaker;
  private caches: KeyValueCache[];

  /**
   * @param options - one a key head, of the same policy
   * @throws {ShapeError} there is not one for each key head
   * @throws {InvalidArgumentError} policies differ
   */
  constructor(
    shape: Required<CacheShape>,
    options: readonly { policy: CachePolicy }[],
    maker: HeadCacheMaker,
    caches?: KeyValueCache[],
  ) {
    const { keyHeads } = shape;
    if (options.length !== keyHeads) {
      throw new ShapeError(
        `createCache: options are given for ${options.length} key heads; expected ${keyHeads}, or options for all.`,
      );
    }
    const other = options.find(({ policy }) => policy !== options[0].policy);
    if (other) {
      throw new InvalidArgumentError(
        `createCache: key heads have policies "${options[0].policy}" and "${other.policy}"; expected the same, with budgets of their own.`,
      );
    }
    this.policy = options[0].policy;
    this.shape = shape;
    this.options = options;
    this.maker = maker;
    this.caches = caches ?? options.map((_, head) => maker.create(this.single, head));
  }

  /** Of the cache of one head. */
  private get single(): Required<CacheShape> {
    const { heads, keyHeads } = this.shape;
    return { ...this.shape, heads: heads / keyHeads, keyHeads: 1 };
  }

  get tokens(): number {
    return this.caches[0].tokens;
  }

  /** A first append is taken whole by all heads or by none; of later ones the signal is looked at between pieces, which all heads finish. */
  async append(
    keys: Float32Array,
    values: Float32Array,
    { queries, signal, onProgress }: AppendOptions = {},
  ): Promise<void> {
    const count = checkTokens(this.shape, keys, values, queries);
    const { heads, dim } = this.shape;
    const asked = (queries?.length ?? 0) / (heads * dim);
    let taken = 0;
    while (taken < count) {
      signal?.throwIfAborted();
      const end = this.tokens === 0 ? count : Math.min(count, taken + PIECE);
      // Queries are those of the last tokens.
      const [firstAsked, endAsked] = [taken, end].map((token) => Math.max(0, token - (count - asked)));
      await this.take({
        keys: rowsOf(keys, count, taken, end),
        values: rowsOf(values, count, taken, end),
        queries: queries && rowsOf(queries, asked, firstAsked, endAsked),
      });
      taken = end;
      onProgress?.({ phase: 'absorbing tokens', done: taken, total: count });
    }
  }

  private async take(tokens: {
    keys: Float32Array;
    values: Float32Array;
    queries: Float32Array | undefined;
  }): Promise<void> {
    const { heads, keyHeads, dim, valueDim } = this.shape;
    const isFirst = this.tokens === 0;
    try {
      for (const [head, cache] of this.caches.entries()) {
        const of = (rows: Float32Array, width: number) => columnsOf(rows, keyHeads, head, width);
        const { queries } = tokens;
        await cache.append(
          of(tokens.keys, dim),
          of(tokens.values, valueDim),
          queries?.length ? { queries: of(queries, (heads / keyHeads) * dim) } : {},
        );
      }
    } catch (error) {
      // Heads ask for queries by their own budgets, in a first append only: later ones refuse all alike, before any has changed.
      if (isFirst) this.caches = this.caches.map((_, head) => this.maker.create(this.single, head));
      throw error;
    }
  }

  async attend(queries: Float32Array, options: { interval?: boolean } = {}): Promise<CacheAttention> {
    checkQueries(this.shape, queries);
    const width = queries.length / this.caches.length;
    const answers = await Promise.all(
      this.caches.map((cache, head) =>
        cache.attend(queries.subarray(head * width, (head + 1) * width), options),
      ),
    );
    const intervals = answers.map(({ interval }) => interval);
    const interval = intervals.every((one) => one !== undefined)
      ? joinIntervals(intervals as CacheInterval[])
      : undefined;
    return { ...joinAnswers(answers), ...(options.interval ? { interval } : {}) };
  }

  async attendMany(queries: Float32Array, count: number): Promise<CacheAnswers> {
    checkManyQueries(this.shape, queries, count);
    const width = queries.length / this.caches.length;
    return joinAnswers(
      await Promise.all(
        this.caches.map((cache, head) =>
          cache.attendMany(queries.subarray(head * width, (head + 1) * width), count),
        ),
      ),
    );
  }

  bytes(): CacheBytes {
    const sum = { keys: 0, values: 0, bookkeeping: 0, total: 0 };
    for (const cache of this.caches) {
      const bytes = cache.bytes();
      for (const part of ['keys', 'values', 'bookkeeping', 'total'] as const) sum[part] += bytes[part];
    }
    return sum;
  }

  kept(keyHead: number): KeptToken[] {
    return this.caches[keyHead].kept(0);
  }

  fork(): HeadCaches {
    const forks = this.caches.map((cache) => cache.fork());
    return new HeadCaches(this.shape, this.options as { policy: CachePolicy }[], this.maker, forks);
  }

  save(): Uint8Array {
    const { options, shape, caches } = this;
    const arrays = Object.fromEntries(caches.map((cache, head) => [`head ${head}`, cache.save()]));
    return encodeState({ header: { options, shape }, arrays });
  }

  /** @throws {DataError} the state is none of a cache with these options */
  restore(saved: SavedState): void {
    const { single } = this;
    const caches = this.caches.map((own, head) => {
      const name = `head ${head}`;
      const cache = this.maker.restore(saved.array(name, Uint8Array, saved.length(name)));
      const isOwn = (Object.keys(single) as (keyof CacheShape)[]).every(
        (size) => cache.shape[size] === single[size],
      );
      if (cache.policy !== own.policy || !isOwn)
        throw damaged(`key head ${head} is of another shape or policy`);
      return cache;
    });
    if (caches.some(({ tokens }) => tokens !== caches[0].tokens))
      throw damaged('key heads have taken different numbers of tokens');
    this.caches = caches;
  }
}

/** Tokens that heads take between two looks at the signal. */
const PIECE = 4096;

/** Tokens [start, end) of `count`, whatever a token has. */
function rowsOf(all: Float32Array, count: number, start: number, end: number): Float32Array {
  const width = count === 0 ? 0 : all.length / count;
  return all.subarray(start * width, end * width);
}

/** What one of `parts` heads has of each token. @param rows - shape (tokens, parts, width) @returns shape (tokens, width) */
function columnsOf(rows: Float32Array, parts: number, part: number, width: number): Float32Array {
  const tokens = rows.length / (parts * width);
  const own = new Float32Array(tokens * width);
  for (let t = 0; t < tokens; t++) {
    const from = (t * parts + part) * width;
    own.set(rows.subarray(from, from + width), t * width);
  }
  return own;
}

function joinAnswers(answers: readonly CacheAnswers[]): CacheAnswers {
  return {
    output: join(
      answers.map(({ output }) => output),
      Float32Array,
    ),
    lse: join(
      answers.map(({ lse }) => lse),
      Float64Array,
    ),
  };
}

function joinIntervals(intervals: readonly CacheInterval[]): CacheInterval {
  const all = (part: keyof CacheInterval) =>
    join(
      intervals.map((interval) => interval[part]),
      Float64Array,
    );
  return { lseLow: all('lseLow'), lseHigh: all('lseHigh'), outputError: all('outputError') };
}

function join<T extends Float32Array | Float64Array>(
  parts: readonly T[],
  Numbers: new (length: number) => T,
): T {
  const all = new Numbers(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
