// Halving by vector balancing, after BalanceKV (arXiv 2502.07861): of two tokens one stays with the weight of both, so chosen that what is kept and what
// goes weigh the same in every direction. It streams: whenever the pool is full, its lightest tokens are halved.

import { requireSeed } from '../../core/check.ts';
import { createRng, type Rng } from '../../core/rng.ts';
import { loadKernels } from '../../kernels/index.ts';
import { attendSlab } from '../attend-slab.ts';
import { type BudgetOptions, shareBudget } from '../budget.ts';
import { checkManyQueries, checkQueries, checkTokens } from '../check-tokens.ts';
import { decodeSlab } from '../decode-slab.ts';
import { isPause, pause } from '../pause.ts';
import type { SavedState } from '../saved-state.ts';
import { encodeState } from '../serialize.ts';
import { simpleInterval } from '../simple-interval.ts';
import { Slab } from '../slab.ts';
import { MOST_TOKENS, rowsOf, type TokenBudget } from '../token-cache.ts';
import type {
  AppendOptions,
  CacheAnswers,
  CacheAttention,
  CacheBytes,
  CacheShape,
  KeptToken,
  KeyValueCache,
} from '../types.ts';

export interface BalanceOptions extends BudgetOptions {
  policy: 'balance';
  /** Default 0. */
  seed?: number;
}

/** Rows 0 … sinks − 1 are sinks, the next ones the pool, the rest the window; before the budget is spent, tokens in their order. */
export class BalanceCache implements KeyValueCache {
  readonly policy = 'balance';
  readonly shape: Required<CacheShape>;
  private readonly options: BalanceOptions;
  private readonly budget: TokenBudget;
  private readonly rng: Rng;
  private slab: Slab;
  private count = 0;
  /** Halvings of each key head so far, which number their random streams. */
  private halvings: Uint32Array;
  /** Rows of the pool in use by each key head; the rest is hidden. */
  private filled: Uint32Array;

  constructor(shape: Required<CacheShape>, options: BalanceOptions) {
    const { seed = 0 } = options;
    requireSeed('createCache: seed', seed);
    this.shape = shape;
    this.options = options;
    this.budget = shareBudget('createCache', options);
    this.rng = createRng(seed).fork('balance cache');
    this.slab = new Slab(shape, rowsOf(this.budget));
    this.halvings = new Uint32Array(shape.keyHeads);
    this.filled = new Uint32Array(shape.keyHeads).fill(this.budget.pool);
  }

  get tokens(): number {
    return this.count;
  }

  async append(keys: Float32Array, values: Float32Array, run: AppendOptions = {}): Promise<void> {
    const count = checkTokens(this.shape, keys, values);
    const { keyHeads, dim, valueDim } = this.shape;
    for (let i = 0; i < count; i++, this.count++) {
      if (isPause(i)) await pause(run, i, count);
      for (let head = 0; head < keyHeads; head++) {
        const at = i * keyHeads + head;
        const row = this.rowFor(head);
        const key = keys.subarray(at * dim, (at + 1) * dim);
        this.slab.put(head, row, key, values.subarray(at * valueDim, (at + 1) * valueDim), this.count);
      }
    }
  }

  async attend(
    queries: Float32Array,
    { interval = false }: { interval?: boolean } = {},
  ): Promise<CacheAttention> {
    checkQueries(this.shape, queries);
    const kernels = await loadKernels();
    const { output, lse } = await decodeSlab(this.slab, this.shape, queries, kernels);
    const isExact = this.count <= rowsOf(this.budget) && this.shape.storage === 'float32';
    return interval ? { output, lse, interval: simpleInterval(lse, isExact) } : { output, lse };
  }

  async attendMany(queries: Float32Array, count: number): Promise<CacheAnswers> {
    checkManyQueries(this.shape, queries, count);
    return attendSlab(this.slab, this.shape, queries, count, await loadKernels());
  }

  bytes(): CacheBytes {
    const { keys, values, logWeights, positions, lengths } = this.slab.view;
    const bookkeeping =
      logWeights.byteLength +
      positions.byteLength +
      lengths.byteLength +
      this.halvings.byteLength +
      this.filled.byteLength;
    const [keyBytes, valueBytes] = [keys.byteLength, values.byteLength];
    return { keys: keyBytes, values: valueBytes, bookkeeping, total: keyBytes + valueBytes + bookkeeping };
  }

  kept(keyHead: number): KeptToken[] {
    const { positions, logWeights } = this.slab.view;
    const { sinks, recent, pool } = this.budget;
    const tokens = Array.from({ length: this.slab.length(keyHead) }, (_, row): KeptToken => {
      const at = keyHead * this.slab.capacity + row;
      const position = positions[at];
      const role = position < sinks ? 'sink' : position >= this.count - recent ? 'recent' : 'sample';
      return { position, count: Math.round(Math.exp(logWeights[at])), role };
    });
    const hidden = (row: number) => row >= sinks + this.filled[keyHead] && row < sinks + pool;
    return tokens.filter((_, row) => !hidden(row)).sort((a, b) => a.position - b.position);
  }

  fork(): BalanceCache {
    const copy = new BalanceCache(this.shape, this.options);
    copy.slab = this.slab.fork();
    copy.count = this.count;
    copy.halvings = this.halvings.slice();
    copy.filled = this.filled.slice();
    return copy;
  }

  save(): Uint8Array {
    const { slab, halvings, filled, options, shape, count } = this;
    return encodeState({
      header: { options, shape, count, capacity: slab.capacity },
      arrays: { ...slab.view, halvings, filled },
    });
  }

  /** @throws {DataError} the state is none of a cache with these options */
  restore(saved: SavedState): void {
    const { sinks, pool, recent } = this.budget;
    const { keyHeads } = this.shape;
    const rows = rowsOf(this.budget);
    this.count = saved.integer('count', 0, MOST_TOKENS);
    this.slab = Slab.restore(saved, this.shape, saved.integer('capacity', rows, rows), this.count);
    this.halvings = saved.array('halvings', Uint32Array, keyHeads);
    this.filled = saved.array('filled', Uint32Array, keyHeads);
    saved.every('filled', this.filled, (filled) => filled <= pool, `at most ${pool}`);
    const { lengths, logWeights, positions } = this.slab.view;
    const used = Math.min(this.count, rows);
    saved.every('lengths', lengths, (length) => length === used, `${used}`);
    const isHidden = (head: number, row: number) => row >= sinks + this.filled[head] && row < sinks + pool;
    const most = Math.log(this.count + 1) + 1; // as many as there are, and what float32 rounds
    saved.every(
      'logWeights',
      logWeights,
      (weight, i) =>
        isHidden(Math.floor(i / rows), i % rows) ? weight === -Infinity : weight >= 0 && weight <= most,
      'a weight from 1 to all tokens, and none where no token is',
    );
    // Sinks and window hold the tokens they should, and the pool those between.
    const isPlace = (position: number, i: number) => {
      const [head, row] = [Math.floor(i / rows), i % rows];
      if (row >= used || isHidden(head, row)) return true;
      if (row < sinks || this.count <= rows) return position === row;
      if (row < sinks + pool) return position >= sinks && position < this.count - recent;
      const age = (row - sinks - pool - ((this.count - rows) % recent) + recent) % recent;
      return position === this.count - recent + age;
    };
    saved.every('positions', positions, isPlace, `places of ${this.count} tokens`);
  }

  /** The row the next token of a head takes: the oldest of the window moves to the pool for it. */
  private rowFor(head: number): number {
    const { sinks, recent, pool } = this.budget;
    const rows = rowsOf(this.budget);
    if (this.count < rows) return this.count;
    const oldest = sinks + pool + ((this.count - rows) % recent);
    if (pool === 0) return oldest;
    if (this.filled[head] === pool) this.halve(head);
    this.slab.copyRow(head, oldest, sinks + this.filled[head]++);
    return oldest;
  }

  /** Halves the lightest tokens of the pool that are at least two; of a pool of one, that one goes. */
  private halve(head: number): void {
    const { sinks, pool } = this.budget;
    const byWeight = Map.groupBy(
      Array.from({ length: pool }, (_, i) => sinks + i),
      (row) => this.slab.view.logWeights[head * this.slab.capacity + row],
    );
    const classes = [...byWeight].sort(([a], [b]) => a - b);
    const lightest = classes.find(([, rows]) => rows.length >= 2)?.[1] ?? [sinks];
    const rng = this.rng.fork(`${head} ${this.halvings[head]++}`);
    const gone = lightest.length === 1 ? lightest : this.balance(head, lightest, rng);
    const lost = new Set(gone);
    let to = sinks;
    for (let row = sinks; row < sinks + pool; row++) if (!lost.has(row)) this.slab.copyRow(head, row, to++);
    this.filled[head] = to - sinks;
    for (let row = to; row < sinks + pool; row++) this.slab.setLogWeight(head, row, -Infinity);
  }

  /**
   * A self-balancing walk (Alweiss, Liu, Sawhney, STOC 2021) over pairs: with φ the features of e^{scale ⟨k, k'⟩} (1 + ⟨v, v'⟩), keeps the first of a pair with
   * probability ½ − ⟨w, φ(a) − φ(b)⟩ / 2c, w the signed sum so far. @returns rows that go; those that stay weigh twice as much
   */
  private balance(head: number, rows: readonly number[], rng: Rng): number[] {
    const { scale } = this.shape;
    const base = head * this.slab.capacity;
    const keys = rows.map((row) => this.slab.numbers('keys', base + row));
    const values = rows.map((row) => this.slab.numbers('values', base + row));
    const most = keys.reduce((a, key) => Math.max(a, scale * dot(key, key)), 0);
    const kernel = (i: number, j: number) =>
      Math.exp(scale * dot(keys[i], keys[j]) - most) * (1 + dot(values[i], values[j]));
    const gone: number[] = [];
    const signs: number[] = [];
    let cap = 0;
    for (let a = 0; a + 1 < rows.length; a += 2) {
      const b = a + 1;
      let product = 0;
      signs.forEach((sign, pair) => {
        const [x, y] = [2 * pair, 2 * pair + 1];
        product += sign * (kernel(x, a) - kernel(x, b) - kernel(y, a) + kernel(y, b));
      });
      cap = Math.max(cap, kernel(a, a) + kernel(b, b) - 2 * kernel(a, b));
      const p = cap === 0 ? 0.5 : Math.min(1, Math.max(0, 0.5 - product / (2 * cap)));
      const first = rng.next() < p;
      signs.push(first ? 1 : -1);
      gone.push(rows[first ? b : a]);
      const kept = rows[first ? a : b];
      this.slab.setLogWeight(head, kept, this.slab.view.logWeights[base + kept] + Math.LN2);
    }
    return gone;
  }
}

export function balanceCache(shape: Required<CacheShape>, options: BalanceOptions): BalanceCache {
  return new BalanceCache(shape, options);
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
