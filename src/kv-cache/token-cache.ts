// A cache that keeps tokens of the stream as they came: sinks, the most recent, and a pool chosen from the rest. Which of the pool goes when a
// token leaves the window is the one thing policies differ in.

import { InvalidArgumentError } from '../core/errors.ts';
import { type Kernels, loadKernels } from '../kernels/index.ts';
import { attendSlab } from './attend-slab.ts';
import { checkManyQueries, checkQueries, checkTokens } from './check-tokens.ts';
import { decodeSlab } from './decode-slab.ts';
import { isPause, pause } from './pause.ts';
import { type PrefillChoice, prefillSlab } from './prefill.ts';
import { damaged, type SavedState } from './saved-state.ts';
import { encodeState } from './serialize.ts';
import { simpleInterval } from './simple-interval.ts';
import { Slab, type SlabShape } from './slab.ts';
import type {
  AppendOptions,
  CacheAnswers,
  CacheAttention,
  CacheBytes,
  CachePolicy,
  CacheShape,
  KeptToken,
  KeyValueCache,
} from './types.ts';

/** How many rows of each kind a key head keeps. */
export interface TokenBudget {
  /** First tokens of the stream. */
  sinks: number;
  /** Most recent tokens. */
  recent: number;
  /** Chosen from those between. */
  pool: number;
}

/** What a rule sees of the cache when it has to choose. */
export interface Choice {
  head: number;
  /** Rows of the head that may go: the pool, then the one that just left the window. */
  candidates: Uint32Array;
  /** Tokens that have left the window, the last of `candidates` included. */
  older: number;
  slab: Slab;
}

/** What a policy adds to a token cache. All state lies in `arrays`, so that forks and files are complete. */
export interface EvictionRule {
  readonly arrays: Record<string, Float32Array | Float64Array | Uint32Array>;
  /** Index into `candidates` of the row to forget. */
  choose(choice: Choice): number;
  /** A token was written into a row. */
  wrote?(head: number, row: number, key: Float32Array): void;
  /** Probabilities of a token's queries over the rows kept, shape (heads, capacity), after its own key and value went in: `append` needs all queries. */
  scored?(probabilities: Float32Array, heads: number): void;
  /** Log-weight of the rows of the pool; `older` tokens have left the window. Default 0. */
  poolLogWeight?(older: number, pool: number): number;
  /** Chooses pool and window of a first append that is longer than the budget: only that needs queries. */
  readonly prefill?: PrefillChoice;
  copy(): EvictionRule;
}

export class TokenCache implements KeyValueCache {
  readonly policy: CachePolicy;
  readonly shape: Required<CacheShape>;
  private readonly options: object;
  /** Undefined: everything is kept. */
  private readonly budget: TokenBudget | undefined;
  private readonly rule: EvictionRule;
  private slab: Slab;
  private count = 0;
  /** Rows of the window, oldest first from `next` on, around; shape (keyHeads, recent). */
  private window: Uint32Array;
  /** Rows of the pool, and behind each head's a place for the row that leaves the window; shape (keyHeads, pool + 1). */
  private pool: Uint32Array;
  private next = 0;
  /** What `weights` gives, of a rule that has some, and the tokens it is up to date with; follows from the rest. */
  private readonly logWeights: Float32Array | undefined;
  private weighedAt = 0;

  constructor(
    policy: CachePolicy,
    shape: Required<CacheShape>,
    options: object,
    budget: TokenBudget | undefined,
    rule: EvictionRule,
  ) {
    this.policy = policy;
    this.shape = shape;
    this.options = options;
    this.budget = budget;
    this.rule = rule;
    this.slab = new Slab(this.slabShape, budget ? rowsOf(budget) : 64);
    this.window = new Uint32Array(shape.keyHeads * (budget?.recent ?? 0));
    this.pool = new Uint32Array(budget ? shape.keyHeads * (budget.pool + 1) : 0);
    if (budget && rule.poolLogWeight) this.logWeights = new Float32Array(shape.keyHeads * rowsOf(budget));
  }

  get tokens(): number {
    return this.count;
  }

  async append(
    keys: Float32Array,
    values: Float32Array,
    { queries, ...run }: AppendOptions = {},
  ): Promise<void> {
    const count = checkTokens(this.shape, keys, values, queries);
    const { keyHeads, heads, dim, valueDim } = this.shape;
    const { budget, rule } = this;
    const prefill = budget && this.count === 0 && count > rowsOf(budget) ? rule.prefill : undefined;
    this.requireQueries(queries, rule.scored ? count : Math.min(count, prefill?.observe ?? 0));
    const kernels = await loadKernels();
    if (budget && prefill && queries) {
      this.slab = await prefillSlab(this.shape, prefill, { keys, values, queries, count, ...run }, kernels);
      this.count = count;
      this.listRows(budget);
      return;
    }
    if (!budget && count > 1) this.slab.reserve(this.count + count);
    for (let t = 0; t < count; t++) {
      if (isPause(t)) await pause(run, t, count);
      for (let head = 0; head < keyHeads; head++) {
        const at = t * keyHeads + head;
        const row = this.rowFor(head);
        const key = keys.subarray(at * dim, (at + 1) * dim);
        this.slab.put(head, row, key, values.subarray(at * valueDim, (at + 1) * valueDim), this.count);
        rule.wrote?.(head, row, key);
      }
      if (budget && this.count >= rowsOf(budget) && budget.recent > 0)
        this.next = (this.next + 1) % budget.recent;
      this.count++;
      if (rule.scored && queries)
        await this.score(queries.subarray(t * heads * dim, (t + 1) * heads * dim), kernels);
    }
  }

  async attend(
    queries: Float32Array,
    { interval = false }: { interval?: boolean } = {},
  ): Promise<CacheAttention> {
    checkQueries(this.shape, queries);
    const kernels = await loadKernels();
    const { output, lse } = await decodeSlab(this.slab, this.shape, queries, kernels, this.weights());
    if (!interval) return { output, lse };
    const isWhole = !this.budget || this.count <= rowsOf(this.budget);
    const isExact = isWhole && this.shape.storage === 'float32';
    return { output, lse, interval: simpleInterval(lse, isExact) };
  }

  async attendMany(queries: Float32Array, count: number): Promise<CacheAnswers> {
    checkManyQueries(this.shape, queries, count);
    return attendSlab(this.slab, this.shape, queries, count, await loadKernels(), this.weights());
  }

  bytes(): CacheBytes {
    const { keys, values, ...others } = this.slab.view;
    const rest = [...Object.values(others), this.window, this.pool, ...Object.values(this.rule.arrays)];
    if (this.logWeights) rest.push(this.logWeights);
    const bookkeeping = rest.reduce((sum, array) => sum + array.byteLength, 0);
    return {
      ...{ keys: keys.byteLength, values: values.byteLength, bookkeeping },
      total: keys.byteLength + values.byteLength + bookkeeping,
    };
  }

  kept(keyHead: number): KeptToken[] {
    const recentFrom = this.count - (this.budget?.recent ?? this.count);
    return Array.from({ length: this.slab.length(keyHead) }, (_, row) => this.slab.position(keyHead, row))
      .sort((a, b) => a - b)
      .map((position) => ({
        position,
        count: 1,
        role: position < (this.budget?.sinks ?? 0) ? 'sink' : position >= recentFrom ? 'recent' : 'selected',
      }));
  }

  fork(): KeyValueCache {
    const copy = new TokenCache(this.policy, this.shape, this.options, this.budget, this.rule.copy());
    copy.slab = this.slab.fork();
    copy.count = this.count;
    copy.window = this.window.slice();
    copy.pool = this.pool.slice();
    copy.next = this.next;
    return copy;
  }

  save(): Uint8Array {
    const { slab, window, pool, rule, count, next } = this;
    return encodeState({
      header: { options: this.options, shape: this.shape, count, next, capacity: slab.capacity },
      arrays: { ...slab.view, window, pool, ...rule.arrays },
    });
  }

  /** Takes over a saved state of a cache with the same options. @throws {DataError} it is none */
  restore(saved: SavedState): void {
    const { shape, budget } = this;
    this.count = saved.integer('count', 0, MOST_TOKENS);
    const least = budget ? rowsOf(budget) : this.count;
    const capacity = saved.integer('capacity', least, budget ? least : MOST_TOKENS);
    this.next = saved.integer('next', 0, Math.max(0, (budget?.recent ?? 0) - 1));
    this.slab = Slab.restore(saved, this.slabShape, capacity, this.count);
    this.window = saved.array('window', Uint32Array, this.window.length);
    this.pool = saved.array('pool', Uint32Array, this.pool.length);
    const { lengths } = this.slab.view;
    const used = Math.min(this.count, capacity);
    saved.every('lengths', lengths, (length) => length === used, `${used}`);
    for (let head = 0; head < shape.keyHeads; head++) this.requirePlaces(head, used);
    for (const [name, array] of Object.entries(this.rule.arrays)) {
      const read = saved.array(name, array.constructor as new (length: number) => typeof array, array.length);
      saved.every(name, read, Number.isFinite, 'finite numbers');
      array.set(read);
    }
  }

  /** Every row of a head is a sink, in the pool or in the window, and these hold the tokens they should. */
  private requirePlaces(head: number, used: number): void {
    const { budget, count, next } = this;
    const { capacity } = this.slab;
    const { sinks, pool, recent } = budget ?? { sinks: capacity, pool: 0, recent: 0 };
    const isFull = used === capacity;
    const part = (list: Uint32Array, start: number, count: number) =>
      list.subarray(start, start + Math.max(0, count));
    const rows = [
      ...Array.from({ length: Math.min(sinks, used) }, (_, i) => i),
      ...part(this.pool, head * (pool + 1), Math.min(pool, used - sinks)),
      ...part(this.window, head * recent, used - sinks - pool),
    ];
    const isPlace = (row: number, i: number) => {
      const position = this.slab.position(head, row);
      if (i < sinks || !isFull) return position === i;
      if (i < sinks + pool) return position >= sinks && position < count - recent;
      return position === count - recent + ((i - sinks - pool - next + recent) % recent);
    };
    if (new Set(rows).size !== used || rows.some((row) => row >= used) || !rows.every(isPlace))
      throw damaged(
        `the rows of key head ${head} are not those of ${count} tokens; expected each in one place`,
      );
    const spare = this.pool[head * (pool + 1) + pool] ?? 0;
    if (budget && spare >= capacity) throw damaged(`a row is ${spare}; expected less than ${capacity}`);
  }

  /** Rows have no weights of their own: where a rule has some, they follow from the number of tokens. */
  private get slabShape(): SlabShape {
    return { ...this.shape, weighted: false, inOrder: this.budget === undefined };
  }

  /** The row that the next token of a head takes. */
  private rowFor(head: number): number {
    const { budget, count } = this;
    if (!budget) return count;
    const rows = rowsOf(budget);
    if (count < rows) {
      // In the order they come, so that nothing differs from a full cache until the budget is spent.
      if (count >= rows - budget.recent)
        this.window[head * budget.recent + count - (rows - budget.recent)] = count;
      else if (count >= budget.sinks) this.pool[head * (budget.pool + 1) + count - budget.sinks] = count;
      return count;
    }
    const left = head * budget.recent + this.next;
    const graduate = this.window[left];
    const candidates = this.pool.subarray(head * (budget.pool + 1), (head + 1) * (budget.pool + 1));
    candidates[budget.pool] = graduate;
    const older = count - budget.sinks - budget.recent + 1;
    const chosen = budget.pool === 0 ? 0 : this.rule.choose({ head, candidates, older, slab: this.slab });
    const row = candidates[chosen];
    candidates[chosen] = graduate;
    this.window[left] = row;
    return row;
  }

  private async score(queries: Float32Array, kernels: Kernels): Promise<void> {
    const { heads } = this.shape;
    const probabilities = new Float32Array(heads * this.slab.capacity);
    await decodeSlab(this.slab, this.shape, queries, kernels, { probabilities });
    this.rule.scored?.(probabilities, heads);
  }

  private requireQueries(queries: Float32Array | undefined, needed: number): void {
    const { heads, dim } = this.shape;
    const given = (queries?.length ?? 0) / (heads * dim);
    if (given >= needed) return;
    throw new InvalidArgumentError(
      `append: policy "${this.policy}" scores tokens by attention and got ${given === 0 ? 'no queries' : `queries of ${given} tokens`}; expected options.queries of the last ${needed}, shape (${needed}, ${heads}, ${dim}).`,
    );
  }

  /** The weights of all rows where the rule has some, beside the slab: writing them there would part it from its forks'. */
  private weights(): { logWeights?: Float32Array } {
    const { budget, rule, count, logWeights } = this;
    if (!budget || !rule.poolLogWeight || !logWeights || count <= rowsOf(budget)) return {};
    if (this.weighedAt === count) return { logWeights };
    this.weighedAt = count;
    const { sinks, recent, pool } = budget;
    const weight = rule.poolLogWeight(count - sinks - recent, pool);
    for (let head = 0; head < this.shape.keyHeads; head++) {
      const base = head * this.slab.capacity;
      for (let i = 0; i < pool; i++) logWeights[base + this.pool[head * (pool + 1) + i]] = weight;
      for (let i = 0; i < recent; i++) logWeights[base + this.window[head * recent + i]] = 0;
    }
    return { logWeights };
  }

  /** After a prefill: tokens lie in the order of the stream. */
  private listRows({ sinks, pool, recent }: TokenBudget): void {
    for (let head = 0; head < this.shape.keyHeads; head++) {
      for (let i = 0; i < pool; i++) this.pool[head * (pool + 1) + i] = sinks + i;
      for (let i = 0; i < recent; i++) this.window[head * recent + i] = sinks + pool + i;
    }
    this.next = 0;
  }
}

/** Places in the stream are unsigned 32-bit integers. */
export const MOST_TOKENS: number = 2 ** 32 - 1;

export function rowsOf({ sinks, recent, pool }: TokenBudget): number {
  return sinks + recent + pool;
}
