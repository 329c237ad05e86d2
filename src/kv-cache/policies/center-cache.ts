// A cache of sinks, window and centers: what leaves the window joins the nearest of K centers or opens one (arXiv 2402.06082, the practical
// form of its experiments, made to stream by the doubling algorithm).

import { OnlineKCenter, RunningMeans } from '../../clustering/index.ts';
import { type Kernels, loadKernels } from '../../kernels/index.ts';
import { checkQueries, checkTokens } from '../check-tokens.ts';
import { clusterInterval, type GroupView } from '../cluster-interval.ts';
import { isPause, pause } from '../pause.ts';
import { type CacheState, encodeState } from '../serialize.ts';
import { simpleInterval } from '../simple-interval.ts';
import { Slab, type SlabArrays } from '../slab.ts';
import { rowsOf, type TokenBudget } from '../token-cache.ts';
import type {
  AppendOptions,
  CacheAttention,
  CacheBytes,
  CacheInterval,
  CacheShape,
  KeptToken,
  KeyValueCache,
} from '../types.ts';

/** What a center stands in a row for. */
export type CenterMode =
  /** Its first token, weight 1: the paper's. */
  | 'select'
  /** Its first token, with the weight of all of its tokens. */
  | 'weighted'
  /** Mean key and mean value of its tokens, with the weight of all. */
  | 'merge';

export interface CenterSettings {
  policy: 'k-center' | 'hybrid';
  mode: CenterMode;
  /** Add ½ qᵀ diag(Σ) q to a center's logit, Σ the covariance of its keys: the next term of the mean of e^s. */
  secondOrder: boolean;
}

/** Centers of one key head, the keys' and the values' kept in step. */
interface HeadCenters {
  keys: OnlineKCenter;
  values: RunningMeans;
  /** Place in the stream of each center's first token, shape (K,). */
  positions: Uint32Array;
}

/** Rows 0 … sinks − 1 are sinks, the next K centers, the rest the window; before the budget is spent, tokens in their order. */
export class CenterCache implements KeyValueCache {
  readonly policy: CenterSettings['policy'];
  readonly shape: Required<CacheShape>;
  private readonly options: object;
  private readonly settings: CenterSettings;
  private readonly budget: TokenBudget;
  private slab: Slab;
  private count = 0;
  /** Place in the window of its oldest token. */
  private next = 0;
  /** Undefined until the budget is spent. */
  private centers: HeadCenters[] | undefined;

  constructor(shape: Required<CacheShape>, options: object, settings: CenterSettings, budget: TokenBudget) {
    this.policy = settings.policy;
    this.shape = shape;
    this.options = options;
    this.settings = settings;
    this.budget = budget;
    this.slab = new Slab(shape, rowsOf(budget));
  }

  get tokens(): number {
    return this.count;
  }

  async append(keys: Float32Array, values: Float32Array, { signal }: AppendOptions = {}): Promise<void> {
    const count = checkTokens(this.shape, keys, values);
    const { keyHeads, dim, valueDim } = this.shape;
    const { sinks, pool, recent } = this.budget;
    for (let i = 0; i < count; i++, this.count++) {
      if (isPause(i)) await pause(signal);
      const full = this.count >= rowsOf(this.budget);
      if (full && !this.centers) this.centers = this.firstCenters();
      for (let head = 0; head < keyHeads; head++) {
        const at = i * keyHeads + head;
        const row = full ? sinks + pool + this.next : this.count;
        if (full && this.centers) this.graduate(this.centers[head], head, row);
        const key = keys.subarray(at * dim, (at + 1) * dim);
        this.slab.put(head, row, key, values.subarray(at * valueDim, (at + 1) * valueDim), this.count);
      }
      if (full) this.next = (this.next + 1) % recent;
    }
  }

  async attend(
    queries: Float32Array,
    { interval = false }: { interval?: boolean } = {},
  ): Promise<CacheAttention> {
    checkQueries(this.shape, queries);
    const kernels = await loadKernels();
    const answer =
      this.settings.secondOrder && this.centers
        ? await this.secondOrder(queries, kernels)
        : await this.plain(queries, kernels);
    return interval ? { ...answer, interval: this.intervalOf(queries, answer) } : answer;
  }

  bytes(): CacheBytes {
    const { keys, values, logWeights, positions, lengths } = this.slab.view;
    const own = (this.centers ?? []).map(
      ({ keys: k, values: v, positions: p }) =>
        k.bytes + v.means.byteLength + v.squares.byteLength + v.scalars.byteLength + p.byteLength,
    );
    const bookkeeping = own.reduce(
      (sum, bytes) => sum + bytes,
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
        count: isCenter ? centers.count(center) : 1,
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
    copy.centers = this.centers?.map(({ keys, values, positions }) => ({
      ...{ keys: keys.copy(), values: values.copy(), positions: positions.slice() },
    }));
    return copy;
  }

  save(): Uint8Array {
    const arrays: CacheState['arrays'] = { ...this.slab.view };
    const heads = this.centers?.map(({ keys, values, positions }, head) => {
      const { representatives, radii, gaps, means, squares, scalars, ...numbers } = keys.state();
      const size = radii.length;
      const parts = { representatives, radii, gaps, means, squares, scalars, positions };
      for (const [name, array] of Object.entries(parts)) arrays[`${head} ${name}`] = array;
      arrays[`${head} value means`] = values.means.slice(0, size * values.dim);
      arrays[`${head} value scalars`] = values.scalars.slice(0, 5 * size);
      return numbers;
    });
    const { options, shape, count, next, slab } = this;
    return encodeState({ header: { options, shape, count, next, capacity: slab.capacity, heads }, arrays });
  }

  load({ header, arrays }: CacheState): void {
    const { keys, values, logWeights, positions, lengths } = arrays as unknown as SlabArrays;
    this.slab = new Slab(this.shape, header.capacity as number, {
      keys,
      values,
      logWeights,
      positions,
      lengths,
    });
    this.count = header.count as number;
    this.next = header.next as number;
    const heads = header.heads as object[] | undefined;
    this.centers = heads?.map((numbers, head) => {
      const names = ['representatives', 'radii', 'gaps', 'means', 'squares', 'scalars'];
      const parts = Object.fromEntries(names.map((name) => [name, arrays[`${head} ${name}`]]));
      const means = new RunningMeans(this.shape.valueDim);
      means.means = arrays[`${head} value means`] as Float32Array;
      means.scalars = arrays[`${head} value scalars`] as Float64Array;
      return {
        keys: OnlineKCenter.restore({ ...numbers, ...parts } as never),
        values: means,
        positions: arrays[`${head} positions`] as Uint32Array,
      };
    });
  }

  /** Once the budget is spent, the oldest tokens but the sinks become centers of their own, equal ones together. */
  private firstCenters(): HeadCenters[] {
    const { keyHeads, dim, valueDim } = this.shape;
    const { sinks, pool } = this.budget;
    return Array.from({ length: keyHeads }, (_, head) => {
      const centers: HeadCenters = {
        keys: new OnlineKCenter({ dim, k: Math.max(1, pool), diagonal: this.settings.secondOrder }),
        values: new RunningMeans(valueDim),
        positions: new Uint32Array(pool + 1),
      };
      for (let row = sinks; row < sinks + pool; row++) this.take(centers, head, row);
      for (let center = 0; center < pool; center++) this.write(centers, head, center);
      return centers;
    });
  }

  /** A token leaves the window for the centers. */
  private graduate(centers: HeadCenters, head: number, row: number): void {
    if (this.budget.pool === 0) return;
    const before = centers.keys.size;
    const { center, merged } = this.take(centers, head, row);
    if (!merged) {
      this.write(centers, head, center);
      return;
    }
    for (let c = 0; c < before; c++) this.write(centers, head, c);
  }

  private take(centers: HeadCenters, head: number, row: number): { center: number; merged: boolean } {
    const { dim, valueDim } = this.shape;
    const at = head * this.slab.capacity + row;
    const key = this.slab.numbers('keys', at * dim, dim);
    const value = this.slab.numbers('values', at * valueDim, valueDim);
    const before = centers.keys.size;
    const { center, opened, remap } = centers.keys.add(key);
    const place = remap ? before : center;
    if (opened) {
      centers.values.open(place, value);
      centers.positions[place] = this.slab.view.positions[at];
    } else {
      centers.values.add(place, value);
    }
    if (remap) moveTogether(centers, remap);
    return { center, merged: remap !== undefined };
  }

  /** A center into its row; a row without one is hidden. */
  private write({ keys, values, positions }: HeadCenters, head: number, center: number): void {
    const { dim, valueDim } = this.shape;
    const row = this.budget.sinks + center;
    if (center >= keys.size) {
      this.slab.setLogWeight(head, row, -Infinity);
      return;
    }
    const { mode } = this.settings;
    const logWeight = mode === 'select' ? 0 : Math.log(keys.count(center));
    if (mode === 'merge') {
      const key = keys.means.means.subarray(center * dim, (center + 1) * dim);
      const value = values.means.subarray(center * valueDim, (center + 1) * valueDim);
      this.slab.put(head, row, key, value, positions[center], logWeight);
      return;
    }
    const key = keys.representatives.subarray(center * dim, (center + 1) * dim);
    // The value of the first token: it is in this row already, or in that of the center which was merged into this one.
    const value = this.firstValue(head, positions[center]);
    this.slab.put(head, row, key, value, positions[center], logWeight);
  }

  private firstValue(head: number, position: number): Float32Array {
    const { valueDim } = this.shape;
    const base = head * this.slab.capacity;
    const row = this.slab.view.positions.subarray(base, base + this.slab.length(head)).indexOf(position);
    return this.slab.numbers('values', (base + row) * valueDim, valueDim).slice();
  }

  private async plain(queries: Float32Array, kernels: Kernels) {
    const { heads, keyHeads, dim, valueDim, scale, storage } = this.shape;
    const { keys, values, logWeights, lengths } = this.slab.view;
    const output = new Float32Array(heads * valueDim);
    const lse = new Float64Array(heads);
    await kernels.decode({
      ...{ queries, keys, values, logWeights, lengths, storage, heads, keyHeads, dim, valueDim, scale },
      ...{ capacity: this.slab.capacity, out: output, lse },
    });
    return { output, lse };
  }

  /** Log-weights then depend on the query, so that the heads of a group go one after another. */
  private async secondOrder(queries: Float32Array, kernels: Kernels) {
    const { heads, keyHeads, dim, valueDim, scale, storage } = this.shape;
    const { keys, values, lengths } = this.slab.view;
    const group = heads / keyHeads;
    const output = new Float32Array(heads * valueDim);
    const lse = new Float64Array(heads);
    for (let member = 0; member < group; member++) {
      const own = new Float32Array(keyHeads * dim);
      for (let g = 0; g < keyHeads; g++)
        own.set(queries.subarray((g * group + member) * dim, (g * group + member + 1) * dim), g * dim);
      const logWeights = this.slab.view.logWeights.slice();
      for (let g = 0; g < keyHeads; g++)
        this.addCurvature(logWeights, g, own.subarray(g * dim, (g + 1) * dim));
      const out = new Float32Array(keyHeads * valueDim);
      const ownLse = new Float64Array(keyHeads);
      await kernels.decode({
        ...{
          queries: own,
          keys,
          values,
          logWeights,
          lengths,
          storage,
          heads: keyHeads,
          keyHeads,
          dim,
          valueDim,
          scale,
        },
        ...{ capacity: this.slab.capacity, out, lse: ownLse },
      });
      for (let g = 0; g < keyHeads; g++) {
        output.set(out.subarray(g * valueDim, (g + 1) * valueDim), (g * group + member) * valueDim);
        lse[g * group + member] = ownLse[g];
      }
    }
    return { output, lse };
  }

  private addCurvature(logWeights: Float32Array, keyHead: number, query: Float32Array): void {
    for (let center = 0; center < (this.centers?.[keyHead].keys.size ?? 0); center++)
      logWeights[keyHead * this.slab.capacity + this.budget.sinks + center] += this.curvature(
        keyHead,
        center,
        query,
      );
  }

  /** ½ scale² qᵀ diag(Σ) q of a center. */
  private curvature(keyHead: number, center: number, query: Float32Array): number {
    const { dim, scale } = this.shape;
    const keys = this.centers?.[keyHead].keys;
    if (!keys || keys.count(center) < 2) return 0;
    const { squares } = keys.means;
    let sum = 0;
    for (let p = 0; p < dim; p++) sum += query[p] ** 2 * squares[center * dim + p];
    return (scale ** 2 * sum) / (2 * keys.count(center));
  }

  private intervalOf(queries: Float32Array, answer: CacheAttention): CacheInterval {
    const { heads, keyHeads, dim } = this.shape;
    // The bounds are about means; a first token says nothing certain of the others.
    if (this.centers && this.settings.mode !== 'merge') return simpleInterval(answer.lse, false);
    const bounds = Array.from({ length: heads }, (_, head) =>
      clusterInterval(
        this.groupsOf(
          Math.floor((head * keyHeads) / heads),
          head,
          queries.subarray(head * dim, (head + 1) * dim),
          answer,
        ),
      ),
    );
    return {
      lseLow: Float64Array.from(bounds, ({ lseLow }) => lseLow),
      lseHigh: Float64Array.from(bounds, ({ lseHigh }) => lseHigh),
      outputError: Float64Array.from(bounds, ({ outputError }) => outputError),
    };
  }

  /** Every row as a group of tokens; bounds hold for merged centers, whose row holds the means they are about. */
  private groupsOf(
    keyHead: number,
    head: number,
    query: Float32Array,
    { output }: CacheAttention,
  ): GroupView[] {
    const { dim, valueDim, scale, storage } = this.shape;
    const { sinks, pool } = this.budget;
    const norm = scale * Math.sqrt(query.reduce((sum, x) => sum + x * x, 0));
    // Half-precision rows are off from what came in by half a unit of their last place, and float32 sums by dim of theirs.
    const unit = storage === 'float32' ? 2 ** -24 : storage === 'float16' ? 2 ** -11 : 2 ** -8;
    const groups: GroupView[] = [];
    for (let row = 0; row < this.slab.length(keyHead); row++) {
      const at = keyHead * this.slab.capacity + row;
      const key = this.slab.numbers('keys', at * dim, dim);
      const value = this.slab.numbers('values', at * valueDim, valueDim);
      let [logit, keySquare, valueSquare, distance] = [0, 0, 0, 0];
      for (let p = 0; p < dim; p++) {
        logit += scale * query[p] * key[p];
        keySquare += key[p] ** 2;
      }
      for (let c = 0; c < valueDim; c++) {
        valueSquare += value[c] ** 2;
        distance += (value[c] - output[head * valueDim + c]) ** 2;
      }
      const center = row - sinks;
      const centers = this.centers?.[keyHead];
      const isCenter = centers !== undefined && center >= 0 && center < pool;
      if (isCenter && center >= centers.keys.size) continue;
      const key_ = isCenter ? centers.keys.means.statistics(center) : SINGLE;
      const value_ = isCenter ? centers.values.statistics(center) : SINGLE;
      const rounding = (dim + 8) * unit;
      const bend = isCenter && this.settings.secondOrder ? this.curvature(keyHead, center, query) : 0;
      groups.push({
        ...{ count: key_.count, logit, distance: Math.sqrt(distance) },
        logitError: norm * (key_.error + rounding * Math.sqrt(keySquare)),
        ...{ above: norm * key_.radius, below: norm * key_.radius },
        variance: (norm ** 2 * key_.scatter) / key_.count,
        logMass: Math.log(key_.count) + logit + bend,
        valueError: value_.error + rounding * Math.sqrt(valueSquare),
        valueVariance: value_.scatter / value_.count,
        valueRadius: value_.radius + rounding * Math.sqrt(valueSquare),
      });
    }
    return groups;
  }
}

const SINGLE = { count: 1, error: 0, scatter: 0, radius: 0 };

/** After centers of keys merged: the same for values and positions; the first of those that became one gives the position. */
function moveTogether({ values, positions }: HeadCenters, remap: Uint32Array): void {
  const seen = new Set<number>();
  remap.forEach((to, from) => {
    if (seen.has(to)) {
      values.merge(to, from);
      return;
    }
    seen.add(to);
    values.move(from, to);
    positions[to] = positions[from];
  });
}
