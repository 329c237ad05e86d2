// A cache that keeps tokens of the stream as they came: sinks, the most recent, and a pool chosen from the rest. Which of the pool goes when a
// token leaves the window is the one thing policies differ in.

import { InvalidArgumentError } from '../core/errors.ts';
import { type Kernels, loadKernels } from '../kernels/index.ts';
import { checkQueries, checkTokens } from './check-tokens.ts';
import { decodeSlab } from './decode-slab.ts';
import { isPause, pause } from './pause.ts';
import { type CacheState, encodeState } from './serialize.ts';
import { simpleInterval } from './simple-interval.ts';
import { Slab, type SlabArrays } from './slab.ts';
import type {
  AppendOptions,
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
  /** How many of the last tokens of an append need their queries, to be scored by attention; 0: none. */
  readonly observe: number;
  /** Index into `candidates` of the row to forget. */
  choose(choice: Choice): number;
  /** A token was written into a row. */
  wrote?(head: number, row: number, key: Float32Array): void;
  /** Probabilities of a token's queries over the rows kept, shape (heads, capacity): after its own key and value went in. */
  scored?(probabilities: Float32Array, slab: Slab, heads: number): void;
  /** Log-weight of the rows of the pool; `older` tokens have left the window. Default 0. */
  poolLogWeight?(older: number, pool: number): number;
  /** Chooses pool and window at the end of the first append, where that was longer than the budget: rows to keep, ascending. */
  compress?(head: number, slab: Slab, count: number): Uint32Array;
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
  /** Tokens that the pool's weights are up to date with. */
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
    this.slab = new Slab(shape, budget ? rowsOf(budget) : 64);
    this.window = new Uint32Array(shape.keyHeads * (budget?.recent ?? 0));
    this.pool = new Uint32Array(budget ? shape.keyHeads * (budget.pool + 1) : 0);
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
    if (this.rule.observe > 0 && !queries && count > 0) {
      throw new InvalidArgumentError(
        `append: policy "${this.policy}" scores tokens by attention and got no queries; expected options.queries, shape (${count}, ${this.shape.heads}, ${this.shape.dim}).`,
      );
    }
    const kernels = await loadKernels();
    const whole = this.budget && this.rule.compress && this.count === 0 && count > rowsOf(this.budget);
    if (whole) this.slab = new Slab(this.shape, count);
    const { keyHeads, heads, dim, valueDim } = this.shape;
    for (let t = 0; t < count; t++) {
      if (isPause(t)) await pause(run, t, count);
      for (let head = 0; head < keyHeads; head++) {
        const at = t * keyHeads + head;
        const key = keys.subarray(at * dim, (at + 1) * dim);
        const row = whole ? this.count : this.rowFor(head);
        this.slab.put(head, row, key, values.subarray(at * valueDim, (at + 1) * valueDim), this.count);
        this.rule.wrote?.(head, row, key);
      }
      if (this.budget && !whole && this.count >= rowsOf(this.budget) && this.budget.recent > 0)
        this.next = (this.next + 1) % this.budget.recent;
      this.count++;
      if (this.rule.scored && queries && t >= count - this.rule.observe)
        await this.score(queries.subarray(t * heads * dim, (t + 1) * heads * dim), kernels);
    }
    if (whole) this.compress(this.budget as TokenBudget);
  }

  async attend(
    queries: Float32Array,
    { interval = false }: { interval?: boolean } = {},
  ): Promise<CacheAttention> {
    checkQueries(this.shape, queries);
    this.weighPool();
    const { output, lse } = await decodeSlab(this.slab, this.shape, queries, await loadKernels());
    if (!interval) return { output, lse };
    const isExact = !this.budget || this.count <= rowsOf(this.budget);
    return { output, lse, interval: simpleInterval(lse, isExact) };
  }

  bytes(): CacheBytes {
    const { keys, values, ...others } = this.slab.view;
    const rest = [...Object.values(others), this.window, this.pool, ...Object.values(this.rule.arrays)];
    const bookkeeping = rest.reduce((sum, array) => sum + array.byteLength, 0);
    return {
      ...{ keys: keys.byteLength, values: values.byteLength, bookkeeping },
      total: keys.byteLength + values.byteLength + bookkeeping,
    };
  }

  kept(keyHead: number): KeptToken[] {
    const base = keyHead * this.slab.capacity;
    const recentFrom = this.count - (this.budget?.recent ?? this.count);
    return Array.from({ length: this.slab.length(keyHead) }, (_, row) => this.slab.view.positions[base + row])
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

  /** Takes over a saved state of a cache with the same options. */
  load({ header, arrays }: CacheState): void {
    const { keys, values, logWeights, positions, lengths } = arrays as unknown as SlabArrays;
    this.slab = new Slab(this.shape, header.capacity as number, {
      keys,
      values,
      logWeights,
      positions,
      lengths,
    });
    this.window = arrays.window as Uint32Array;
    this.pool = arrays.pool as Uint32Array;
    this.count = header.count as number;
    this.next = header.next as number;
    for (const [name, array] of Object.entries(this.rule.arrays)) array.set(arrays[name]);
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
    this.rule.scored?.(probabilities, this.slab, heads);
  }

  private weighPool(): void {
    const { budget, rule, count } = this;
    if (!budget || !rule.poolLogWeight || count <= rowsOf(budget) || this.weighedAt === count) return;
    this.weighedAt = count;
    const logWeight = rule.poolLogWeight(count - budget.sinks - budget.recent, budget.pool);
    for (let head = 0; head < this.shape.keyHeads; head++) {
      for (let i = 0; i < budget.pool; i++)
        this.slab.setLogWeight(head, this.pool[head * (budget.pool + 1) + i], logWeight);
      for (let i = 0; i < budget.recent; i++)
        this.slab.setLogWeight(head, this.window[head * budget.recent + i], 0);
    }
  }

  /** After a prefill: keeps what the rule chooses, in the order of the stream. */
  private compress(budget: TokenBudget): void {
    const { keyHeads, dim, valueDim } = this.shape;
    const rows = rowsOf(budget);
    const smaller = new Slab(this.shape, rows);
    const { keys, values } = this.slab.view;
    for (let head = 0; head < keyHeads; head++) {
      const kept = this.rule.compress?.(head, this.slab, this.count) ?? new Uint32Array(0);
      for (const [row, from] of kept.entries()) {
        const at = head * this.slab.capacity + from;
        smaller.put(
          head,
          row,
          keys.subarray(at * dim, (at + 1) * dim),
          values.subarray(at * valueDim, (at + 1) * valueDim),
          from,
        );
      }
      for (let i = 0; i < budget.pool; i++) this.pool[head * (budget.pool + 1) + i] = budget.sinks + i;
      for (let i = 0; i < budget.recent; i++)
        this.window[head * budget.recent + i] = rows - budget.recent + i;
    }
    this.slab = smaller;
    this.next = 0;
  }
}

export function rowsOf({ sinks, recent, pool }: TokenBudget): number {
  return sinks + recent + pool;
}
