// A cache of sinks, window and centers: what leaves the window joins the nearest of K centers or opens one (arXiv 2402.06082, the practical
// form of its experiments, made to stream by the doubling algorithm).

import { isFloatStorage, type Kernels, loadKernels } from '../../kernels/index.ts';
import { attendSlab } from '../attend-slab.ts';
import { checkManyQueries, checkQueries, checkTokens } from '../check-tokens.ts';
import { decodeSlab } from '../decode-slab.ts';
import { PAUSE_TOKENS, pause } from '../pause.ts';
import { damaged, type SavedState } from '../saved-state.ts';
import { type CacheState, encodeState } from '../serialize.ts';
import { simpleInterval } from '../simple-interval.ts';
import { Slab } from '../slab.ts';
import { type Token, tokenOf } from '../token.ts';
import { MOST_TOKENS, rowsOf, type TokenBudget } from '../token-cache.ts';
import type {
  AppendOptions,
  CacheAnswers,
  CacheAttention,
  CacheBytes,
  CacheInterval,
  CacheShape,
  KeptToken,
  KeyValueCache,
} from '../types.ts';
import { centerInterval } from './center-interval.ts';
import { type CenterLayout, type CenterMode, CenterRows } from './center-rows.ts';

/** How the centers of a first append beyond the budget are chosen. */
export type Prefill =
  /** Of all of its tokens at once, by farthest-first traversal: half as far from the best as a stream can promise. */
  | 'greedy'
  /** One after the other, as later tokens are. */
  | 'stream';

export interface CenterSettings {
  policy: 'k-center' | 'hybrid';
  mode: CenterMode;
  prefill: Prefill;
  /** Add ½ qᵀ diag(Σ) q to a center's logit, Σ the covariance of its keys: the next term of the mean of e^s. Needs 'merge'. */
  secondOrder: boolean;
}

/** Pairs of tokens that leave the window and centers from which on the kernels find the nearest: below, calling them takes longer. */
const PAIRS_WORTH_CALLING = 64;

/** Rows 0 … sinks − 1 are sinks, the next K centers, the rest the window; before the budget is spent, tokens in their order. */
export class CenterCache implements KeyValueCache {
  readonly policy: CenterSettings['policy'];
  readonly shape: Required<CacheShape>;
  private readonly options: object;
  private readonly settings: CenterSettings;
  private readonly budget: TokenBudget;
  private readonly layout: CenterLayout;
  private slab: Slab;
  private count = 0;
  /** Place in the window of its oldest token. */
  private next = 0;
  /** One a key head; undefined until the budget is spent. */
  private centers: CenterRows[] | undefined;
  /** A fork may hold the same centers. */
  private sharesCenters = false;

  constructor(shape: Required<CacheShape>, options: object, settings: CenterSettings, budget: TokenBudget) {
    this.policy = settings.policy;
    this.shape = shape;
    this.options = options;
    this.settings = settings;
    this.budget = budget;
    this.layout = {
      ...{ shape, mode: settings.mode, diagonal: settings.secondOrder },
      ...{ first: budget.sinks, k: budget.pool },
    };
    this.slab = new Slab(shape, rowsOf(budget));
  }

  get tokens(): number {
    return this.count;
  }

  /** A first append beyond the budget with prefill 'greedy' is taken whole or, aborted, not at all; others up to where they were aborted. */
  async append(keys: Float32Array, values: Float32Array, run: AppendOptions = {}): Promise<void> {
    const count = checkTokens(this.shape, keys, values);
    const start = this.count;
    const tokenAt = (head: number, i: number) =>
      tokenOf(this.shape, keys, values, { i, head, position: start + i });
    const rows = rowsOf(this.budget);
    if (this.settings.prefill === 'greedy' && start === 0 && count > rows && this.budget.pool > 0) {
      await this.takeWhole(count, tokenAt, run);
      return;
    }
    let taken = 0;
    for (; taken < count && this.count < rows; taken++, this.count++)
      for (let head = 0; head < this.shape.keyHeads; head++) this.put(head, this.count, tokenAt(head, taken));
    while (taken < count) {
      if (taken > 0 && count > PAUSE_TOKENS) await pause(run, taken, count);
      const [from, slice] = [taken, Math.min(PAUSE_TOKENS, count - taken)];
      await this.slide(slice, (head, i) => tokenAt(head, from + i));
      taken += slice;
    }
  }

  async attend(
    queries: Float32Array,
    { interval = false }: { interval?: boolean } = {},
  ): Promise<CacheAttention> {
    checkQueries(this.shape, queries);
    const kernels = await loadKernels();
    const bends = this.settings.secondOrder && this.centers ? await this.bends(queries, kernels) : undefined;
    const answer = bends
      ? await this.decodeBent(queries, bends, kernels)
      : await decodeSlab(this.slab, this.shape, queries, kernels);
    return interval ? { ...answer, interval: this.intervalOf(queries, answer, bends) } : answer;
  }

  async attendMany(queries: Float32Array, count: number): Promise<CacheAnswers> {
    checkManyQueries(this.shape, queries, count);
    const kernels = await loadKernels();
    if (!this.settings.secondOrder || !this.centers)
      return attendSlab(this.slab, this.shape, queries, count, kernels);
    const { bent, widened } = this.widened(this.centers, queries);
    return attendSlab(bent, this.shape, widened, count, kernels);
  }

  bytes(): CacheBytes {
    const { keys, values, logWeights, positions, lengths } = this.slab.view;
    const bookkeeping = (this.centers ?? []).reduce(
      (sum, { bytes }) => sum + bytes,
      logWeights.byteLength + positions.byteLength + lengths.byteLength,
    );
    const [keyBytes, valueBytes] = [keys.byteLength, values.byteLength];
    return { keys: keyBytes, values: valueBytes, bookkeeping, total: keyBytes + valueBytes + bookkeeping };
  }

  kept(keyHead: number): KeptToken[] {
    const { sinks, pool } = this.budget;
    const { positions, lengths } = this.slab.view;
    const centers = this.centers?.[keyHead].keys;
    const tokens: KeptToken[] = [];
    for (let row = 0; row < lengths[keyHead]; row++) {
      const center = row - sinks;
      const isCenter = centers !== undefined && center >= 0 && center < pool;
      if (isCenter && center >= centers.size) continue;
      tokens.push({
        position: positions[keyHead * this.slab.capacity + row],
        count: isCenter ? centers.counts[center] : 1,
        role: row < sinks ? 'sink' : isCenter ? 'center' : 'recent',
      });
    }
    return tokens.sort((a, b) => a.position - b.position);
  }

  fork(): CenterCache {
    const copy = new CenterCache(this.shape, this.options, this.settings, this.budget);
    copy.slab = this.slab.fork();
    copy.count = this.count;
    copy.next = this.next;
    copy.centers = this.centers;
    copy.sharesCenters = true;
    this.sharesCenters = true;
    return copy;
  }

  save(): Uint8Array {
    const arrays: CacheState['arrays'] = { ...this.slab.view };
    const heads = this.centers?.map((centers, head) => {
      const saved = centers.save();
      for (const [name, array] of Object.entries(saved.arrays)) arrays[`${head} ${name}`] = array;
      return saved.numbers;
    });
    const { options, shape, count, next, slab } = this;
    return encodeState({ header: { options, shape, count, next, capacity: slab.capacity, heads }, arrays });
  }

  /** @throws {DataError} the state is none of a cache with these options */
  restore(saved: SavedState): void {
    const { sinks, pool, recent } = this.budget;
    const rows = rowsOf(this.budget);
    this.count = saved.integer('count', 0, MOST_TOKENS);
    this.next = saved.integer('next', 0, recent - 1);
    this.slab = Slab.restore(saved, this.shape, saved.integer('capacity', rows, rows), this.count);
    const { lengths, logWeights, positions } = this.slab.view;
    const used = Math.min(this.count, rows);
    saved.every('lengths', lengths, (length) => length === used, `${used}`);
    const heads = saved.value('heads');
    const hasCenters = pool > 0 && this.count > rows;
    if (hasCenters ? !Array.isArray(heads) || heads.length !== this.shape.keyHeads : heads !== undefined)
      throw damaged(`there are ${hasCenters ? 'no centers' : 'centers'} of ${this.count} tokens`);
    if (hasCenters)
      this.centers = (heads as unknown[]).map((numbers, head) => {
        const centers = CenterRows.restore(this.layout, head, numbers, saved.part(`${head} `));
        if (centers.tokens !== this.count - sinks - recent)
          throw damaged(`centers of key head ${head} hold ${centers.tokens} tokens of ${this.count}`);
        centers.bind(this.slab);
        centers.writeAll(this.slab);
        return centers;
      });
    const isPlace = (position: number, i: number) => {
      const row = i % rows;
      if (row >= used) return true;
      if (row < sinks || this.count <= rows) return position === row;
      if (row < sinks + pool) return true; // of a center, or hidden
      return position === this.count - recent + ((row - sinks - pool - this.next + recent) % recent);
    };
    saved.every('positions', positions, isPlace, `places of ${this.count} tokens`);
    const isToken = (i: number) => !hasCenters || i % rows < sinks || i % rows >= sinks + pool;
    saved.every('logWeights', logWeights, (weight, i) => weight === 0 || !isToken(i), '0 of a token');
  }

  private put(head: number, row: number, { key, value, position }: Token): void {
    this.slab.put(head, row, key, value, position);
  }

  /** A token as a row of the slab has it, apart from the slab. */
  private stored(head: number, row: number): Token {
    const at = head * this.slab.capacity + row;
    return {
      key: this.slab.numbers('keys', at).slice(),
      value: this.slab.numbers('values', at).slice(),
      position: this.slab.view.positions[at],
    };
  }

  /** The budget is spent: each of `count` tokens pushes the oldest one out of the window and into the centers. */
  private async slide(count: number, tokenAt: (head: number, i: number) => Token): Promise<void> {
    const { sinks, pool, recent } = this.budget;
    const { keyHeads, dim } = this.shape;
    const rowOf = (i: number) => sinks + pool + ((this.next + i) % recent);
    if (pool > 0) this.ownCenters();
    for (let head = 0; head < keyHeads; head++) {
      const centers = this.centers?.[head];
      if (centers) {
        // The first to leave lie in the window, later ones never enter it.
        const leaving = Array.from({ length: count }, (_, i) => {
          if (i < recent) return this.stored(head, rowOf(i));
          const { key, value, position } = tokenAt(head, i - recent);
          const { slab } = this;
          return { key: slab.rounded('keys', key), value: slab.rounded('values', value), position };
        });
        if (count * centers.keys.size < PAIRS_WORTH_CALLING)
          for (const token of leaving) centers.take(this.slab, token);
        else {
          const keys = new Float32Array(count * dim);
          leaving.forEach(({ key }, i) => {
            keys.set(key, i * dim);
          });
          await centers.takeAll(this.slab, { data: keys, rows: count, cols: dim }, (i) => leaving[i]);
        }
      }
      for (let i = Math.max(0, count - recent); i < count; i++) this.put(head, rowOf(i), tokenAt(head, i));
    }
    this.next = (this.next + count) % recent;
    this.count += count;
  }

  /** Centers of this cache alone, in the memory of its slab; at first the tokens between sinks and window, equal ones together. */
  private ownCenters(): void {
    if (this.centers) {
      if (this.sharesCenters) this.centers = this.centers.map((centers) => centers.copy());
      this.sharesCenters = false;
      for (const centers of this.centers) centers.bind(this.slab);
      return;
    }
    const { sinks, pool } = this.budget;
    this.centers = Array.from({ length: this.shape.keyHeads }, (_, head) => {
      const tokens = Array.from({ length: pool }, (_, c) => this.stored(head, sinks + c));
      const centers = new CenterRows(this.layout, head);
      centers.bind(this.slab);
      for (const token of tokens) centers.take(this.slab, token);
      centers.writeAll(this.slab);
      return centers;
    });
  }

  /** A first append beyond the budget. */
  private async takeWhole(
    count: number,
    tokenAt: (head: number, i: number) => Token,
    { signal, onProgress }: AppendOptions,
  ): Promise<void> {
    const { sinks, pool, recent } = this.budget;
    const { keyHeads, dim, valueDim } = this.shape;
    const rows = count - sinks - recent;
    const slab = new Slab(this.shape, rowsOf(this.budget));
    const put = (head: number, row: number, { key, value, position }: Token) =>
      slab.put(head, row, key, value, position);
    const centers: CenterRows[] = [];
    for (let head = 0; head < keyHeads; head++) {
      onProgress?.({ phase: 'centers of key heads', done: head, total: keyHeads });
      for (let i = 0; i < sinks; i++) put(head, i, tokenAt(head, i));
      // Rows in use end with the window, those between are the centers'.
      for (let i = 0; i < recent; i++) put(head, sinks + pool + i, tokenAt(head, sinks + rows + i));
      const keys = new Float32Array(rows * dim);
      const values = new Float32Array(rows * valueDim);
      for (let i = 0; i < rows; i++) {
        const { key, value } = tokenAt(head, sinks + i);
        keys.set(key, i * dim);
        values.set(value, i * valueDim);
      }
      centers.push(
        await CenterRows.greedy(this.layout, head, slab, {
          keys: { data: slab.rounded('keys', keys), rows, cols: dim },
          values: { data: slab.rounded('values', values), rows, cols: valueDim },
          ...{ start: sinks, signal },
        }),
      );
    }
    this.slab = slab;
    this.centers = centers;
    this.count = count;
  }

  /** ½ scale² qᵀ diag(Σ) q of every center, shape (heads, K). */
  private async bends(queries: Float32Array, kernels: Kernels): Promise<Float32Array> {
    const { heads, keyHeads, dim, scale } = this.shape;
    const k = this.budget.pool;
    const group = heads / keyHeads;
    const bends = new Float32Array(heads * k);
    const squared = queries.map((x) => (scale * x) ** 2 / 2);
    for (const [head, { keys, keyMeans }] of (this.centers ?? []).entries()) {
      if (!keyMeans?.squares) continue;
      const c = bends.subarray(head * group * k, (head + 1) * group * k);
      const a = squared.subarray(head * group * dim, (head + 1) * group * dim);
      await kernels.gemm({ m: group, n: k, k: dim, a, b: keyMeans.squares, c, transposeB: true });
      for (let i = 0; i < c.length; i++) c[i] /= Math.max(1, keys.counts[i % k]);
    }
    return bends;
  }

  /** Rows and queries whose products have the bends in them: scale ⟨(q, ½ scale q²), (k, diag Σ)⟩, with Σ = 0 of tokens. */
  private widened(centers: readonly CenterRows[], queries: Float32Array) {
    const { dim, scale } = this.shape;
    const { slab, budget } = this;
    const { capacity } = slab;
    const rows = this.shape.keyHeads * capacity;
    const stored = slab.numbers('keys', 0, rows);
    const keys = new Float32Array(2 * rows * dim);
    for (let row = 0; row < rows; row++) keys.set(stored.subarray(row * dim, (row + 1) * dim), 2 * row * dim);
    for (const [head, { keys: clusters, keyMeans }] of centers.entries())
      for (let c = 0; c < clusters.size; c++) {
        const at = 2 * (head * capacity + budget.sinks + c) * dim + dim;
        for (let p = 0; p < dim; p++)
          keys[at + p] = (keyMeans?.squares?.[c * dim + p] ?? 0) / clusters.counts[c];
      }
    const widened = new Float32Array(2 * queries.length);
    for (let i = 0, at = 0; i < queries.length; i++, at += i % dim === 0 ? dim + 1 : 1) {
      widened[at] = queries[i];
      widened[at + dim] = (scale / 2) * queries[i] ** 2;
    }
    const values = slab.numbers('values', 0, rows);
    const shape = { ...slab.shape, dim: 2 * dim, storage: 'float32' as const };
    return { bent: new Slab(shape, capacity, { ...slab.view, keys, values }), widened };
  }

  /** Log-weights then depend on the query, so that the heads of a group go one after another. */
  private async decodeBent(queries: Float32Array, bends: Float32Array, kernels: Kernels) {
    const { heads, keyHeads, dim, valueDim, scale } = this.shape;
    const { sinks, pool } = this.budget;
    const group = heads / keyHeads;
    const output = new Float32Array(heads * valueDim);
    const lse = new Float64Array(heads);
    for (let member = 0; member < group; member++) {
      const own = new Float32Array(keyHeads * dim);
      const logWeights = this.slab.view.logWeights.slice();
      for (let g = 0; g < keyHeads; g++) {
        const head = g * group + member;
        own.set(queries.subarray(head * dim, (head + 1) * dim), g * dim);
        for (let c = 0; c < pool; c++)
          logWeights[g * this.slab.capacity + sinks + c] += bends[head * pool + c];
      }
      const single = { heads: keyHeads, keyHeads, dim, scale };
      const part = await decodeSlab(this.slab, single, own, kernels, { logWeights });
      for (let g = 0; g < keyHeads; g++) {
        output.set(part.output.subarray(g * valueDim, (g + 1) * valueDim), (g * group + member) * valueDim);
        lse[g * group + member] = part.lse[g];
      }
    }
    return { output, lse };
  }

  private intervalOf(
    queries: Float32Array,
    { output, lse }: CacheAttention,
    bends: Float32Array | undefined,
  ): CacheInterval {
    const { heads, keyHeads, dim, valueDim, scale, storage } = this.shape;
    const isExact = this.count <= rowsOf(this.budget);
    if (isExact && storage === 'float32') return simpleInterval(lse, true);
    // How far numbers in few bits are from what came in was not kept.
    if (!isFloatStorage(storage)) return simpleInterval(lse, false);
    // Of selected tokens nothing is known but how far the others are; of dropped ones nothing.
    if (this.centers ? this.settings.mode !== 'merge' : !isExact) return simpleInterval(lse, false);
    const bounds = Array.from({ length: heads }, (_, head) => {
      const keyHead = Math.floor((head * keyHeads) / heads);
      return centerInterval({
        ...{ slab: this.slab, keyHead, centers: this.centers?.[keyHead], scale },
        query: queries.subarray(head * dim, (head + 1) * dim),
        output: output.subarray(head * valueDim, (head + 1) * valueDim),
        bend: (center) => bends?.[head * this.budget.pool + center] ?? 0,
      });
    });
    return {
      lseLow: Float64Array.from(bounds, ({ lseLow }) => lseLow),
      lseHigh: Float64Array.from(bounds, ({ lseHigh }) => lseHigh),
      outputError: Float64Array.from(bounds, ({ outputError }) => outputError),
    };
  }
}
