// SubGen (arXiv 2402.06082) as its theorem has it: the softmax's denominator from clusters of keys and a few uniform samples in each, the numerator
// from samples of tokens in proportion to ‖v‖². Both are unbiased at every step of the stream; their quotient is consistent.

import { DeltaClusters } from '../../clustering/index.ts';
import { requireInteger, requireSeed } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import { createRng, type Rng } from '../../core/rng.ts';
import { loadKernels } from '../../kernels/index.ts';
import { attendSlab } from '../attend-slab.ts';
import { checkManyQueries, checkQueries, checkTokens } from '../check-tokens.ts';
import { decodeSlab } from '../decode-slab.ts';
import { PAUSE_TOKENS, pause } from '../pause.ts';
import { damaged, type SavedState } from '../saved-state.ts';
import { type CacheState, encodeState } from '../serialize.ts';
import { Slab } from '../slab.ts';
import { type Token, tokenOf } from '../token.ts';
import { MOST_TOKENS } from '../token-cache.ts';
import type {
  AppendOptions,
  CacheAnswers,
  CacheAttention,
  CacheBytes,
  CacheShape,
  KeptToken,
  KeyValueCache,
} from '../types.ts';
import { SampleSlots } from './sample-slots.ts';

/** Pairs of tokens and clusters from which on the kernels find the nearest: below, calling them takes longer. */
const PAIRS_WORTH_CALLING = 64;

/** What cluster slots have for a value: only their keys count. */
const NO_VALUE = new Float32Array(1);
const NO_SLOTS: readonly number[] = [];

/** JSON knows no infinity: δ in a saved header. */
const INFINITY = 'Infinity';

export interface SubGenOptions {
  policy: 'subgen';
  /** Keys within this distance of a cluster's first key join it, δ ≥ 0 (Infinity: one cluster); in the unit of the keys. */
  delta: number;
  /** Uniform samples per cluster, t ≥ 1. Default 4. */
  clusterSamples?: number;
  /** Samples in proportion to ‖v‖², s ≥ 1. Default 128. */
  valueSamples?: number;
  /**
   * Take the numerator from the clusters' samples too, which then keep their values, and have no samples by ‖v‖²: the output is an average of values,
   * and a key alone in its cluster is exact in both. Consistent; the theorem's bound is not for it. Default false.
   */
  selfNormalised?: boolean;
  /** Default 0. */
  seed?: number;
}

/** State of one key head besides the slabs. */
interface HeadState {
  clusters: DeltaClusters;
  /** Slots t·c … t·c + t − 1 are those of cluster c. */
  keySlots: SampleSlots;
  valueSlots: SampleSlots;
  /** μ = Σ‖v‖², and the number of random numbers drawn so far. */
  scalars: Float64Array;
}

/**
 * Update of a token (k, v): the nearest cluster takes it if within δ, and each of its t slots takes k with probability 1/count; else it opens a
 * cluster whose slots all hold k. Each of s slots takes (k, v) with probability ‖v‖²/μ, μ summed with this token included. Slots that change are found
 * by geometric skips, one random number each.
 *
 * Query: z / τ with z = Σ μ/(s‖v‖²) e^{⟨q,k⟩} v over the value slots and τ = Σ_c count/t Σ e^{⟨q,k⟩}, both in logarithms with maxima of their own.
 * Time O((m + t·m + s)(d + d_v)) a token or query with m clusters; memory the same: no budget bounds it but the clusters.
 */
export class SubGenCache implements KeyValueCache {
  readonly policy = 'subgen';
  readonly shape: Required<CacheShape>;
  private readonly options: SubGenOptions;
  private readonly delta: number;
  private readonly t: number;
  private readonly s: number;
  private readonly rng: Rng;
  private heads: HeadState[];
  /** Keys of the cluster slots, with values where these give the numerator too. */
  private keySlab: Slab;
  /** Tokens of the value slots. */
  private valueSlab: Slab;
  private count = 0;

  constructor(shape: Required<CacheShape>, options: SubGenOptions) {
    const { clusterSamples = 4, valueSamples = 128, seed = 0 } = options;
    const given: unknown = options.delta;
    const delta = given === INFINITY ? Infinity : given;
    if (typeof delta !== 'number' || !(delta >= 0)) {
      throw new InvalidArgumentError(`createCache: delta is ${delta}; expected a number ≥ 0 or Infinity.`);
    }
    requireInteger('createCache: clusterSamples', clusterSamples, 1);
    requireInteger('createCache: valueSamples', valueSamples, 1);
    if (options.selfNormalised && options.valueSamples !== undefined) {
      throw new InvalidArgumentError(
        `createCache: valueSamples is ${valueSamples} with selfNormalised, which has none; expected one of the two.`,
      );
    }
    requireSeed('createCache: seed', seed);
    this.shape = shape;
    this.options = options;
    this.delta = delta;
    this.t = clusterSamples;
    this.s = valueSamples;
    this.rng = createRng(seed).fork('subgen cache');
    this.heads = Array.from({ length: shape.keyHeads }, () => ({
      clusters: new DeltaClusters({ dim: shape.dim, delta }),
      keySlots: new SampleSlots(),
      valueSlots: new SampleSlots(),
      scalars: new Float64Array(2),
    }));
    this.keySlab = new Slab({ ...shape, valueDim: this.keyValueDim }, 16);
    this.valueSlab = new Slab(shape, 16);
  }

  get tokens(): number {
    return this.count;
  }

  /** All options, defaults filled in. */
  get settings(): Required<Omit<SubGenOptions, 'policy'>> {
    const { selfNormalised = false, seed = 0 } = this.options;
    return {
      ...{ delta: this.delta, clusterSamples: this.t, valueSamples: this.s },
      ...{ selfNormalised, seed },
    };
  }

  /** Width of the values in the slab of keys. */
  private get keyValueDim(): number {
    return this.options.selfNormalised ? this.shape.valueDim : 1;
  }

  /** Clusters of a key head. */
  clusters(keyHead: number): number {
    return this.heads[keyHead].clusters.size;
  }

  async append(keys: Float32Array, values: Float32Array, run: AppendOptions = {}): Promise<void> {
    const count = checkTokens(this.shape, keys, values);
    for (let done = 0; done < count; ) {
      if (done > 0) await pause(run, done, count);
      const slice = Math.min(PAUSE_TOKENS, count - done);
      for (let head = 0; head < this.shape.keyHeads; head++)
        await this.takeTokens(head, slice, (i) =>
          tokenOf(this.shape, keys, values, { i: done + i, head, position: this.count + i }),
        );
      this.count += slice;
      done += slice;
    }
  }

  async attend(queries: Float32Array): Promise<CacheAttention> {
    checkQueries(this.shape, queries);
    const kernels = await loadKernels();
    return this.quotient((slab) => decodeSlab(slab, this.shape, queries, kernels));
  }

  async attendMany(queries: Float32Array, count: number): Promise<CacheAnswers> {
    checkManyQueries(this.shape, queries, count);
    const kernels = await loadKernels();
    return this.quotient((slab) => attendSlab(slab, this.shape, queries, count, kernels));
  }

  /** z / τ of queries, the same number for each head. @param ask - what they get from the rows of a slab */
  private async quotient(ask: (slab: Slab) => Promise<CacheAnswers>): Promise<CacheAnswers> {
    const { keyHeads, valueDim } = this.shape;
    const denominator = await ask(this.keySlab);
    if (this.options.selfNormalised) return denominator;
    const { output, lse } = await ask(this.valueSlab);
    const queriesPerKeyHead = lse.length / keyHeads;
    for (let i = 0; i < lse.length; i++) {
      const [mu] = this.heads[Math.floor(i / queriesPerKeyHead)].scalars;
      const logRatio = lse[i] + Math.log(mu / this.s) - denominator.lse[i];
      // No value slot holds anything where all values were 0.
      const ratio = mu === 0 ? 0 : Math.exp(logRatio);
      for (let c = i * valueDim; c < (i + 1) * valueDim; c++) output[c] *= ratio;
    }
    return { output, lse: denominator.lse };
  }

  bytes(): CacheBytes {
    const [a, b] = [this.keySlab.view, this.valueSlab.view];
    const sum = (...arrays: { byteLength: number }[]) =>
      arrays.reduce((total, array) => total + array.byteLength, 0);
    const own = this.heads.map(
      ({ clusters, keySlots, valueSlots, scalars }) =>
        clusters.bytes + keySlots.bytes + valueSlots.bytes + scalars.byteLength,
    );
    const bookkeeping =
      own.reduce((total, bytes) => total + bytes, 0) +
      sum(a.logWeights, a.positions, a.lengths, b.logWeights, b.positions, b.lengths);
    const [keys, values] = [sum(a.keys, b.keys), sum(a.values, b.values)];
    return { keys, values, bookkeeping, total: keys + values + bookkeeping };
  }

  kept(keyHead: number): KeptToken[] {
    const found = new Map<number, KeptToken>();
    const { keySlots, valueSlots } = this.heads[keyHead];
    for (const [slab, { holders }] of [
      [this.keySlab, keySlots],
      [this.valueSlab, valueSlots],
    ] as const)
      holders.forEach((held, row) => {
        const position = slab.view.positions[keyHead * slab.capacity + row];
        if (held > 0) found.set(position, { position, count: 1, role: 'sample' });
      });
    return [...found.values()].sort((a, b) => a.position - b.position);
  }

  fork(): SubGenCache {
    const copy = new SubGenCache(this.shape, this.options);
    copy.heads = this.heads.map(({ clusters, keySlots, valueSlots, scalars }) => ({
      ...{ clusters: clusters.copy(), keySlots: keySlots.copy(), valueSlots: valueSlots.copy() },
      scalars: scalars.slice(),
    }));
    copy.keySlab = this.keySlab.fork();
    copy.valueSlab = this.valueSlab.fork();
    copy.count = this.count;
    return copy;
  }

  save(): Uint8Array {
    const arrays: CacheState['arrays'] = {};
    for (const [name, slab] of [
      ['key', this.keySlab],
      ['value', this.valueSlab],
    ] as const)
      for (const [part, array] of Object.entries(slab.view)) arrays[`${name} slab ${part}`] = array;
    this.heads.forEach(({ clusters, keySlots, valueSlots, scalars }, head) => {
      const { representatives, counts } = clusters.state();
      const parts = { representatives, counts, scalars };
      for (const [part, array] of Object.entries(parts)) arrays[`${head} ${part}`] = array;
      for (const [name, slots] of [
        ['key', keySlots],
        ['value', valueSlots],
      ] as const) {
        arrays[`${head} ${name} rows`] = slots.rows;
        arrays[`${head} ${name} holders`] = slots.holders;
        arrays[`${head} ${name} weights`] = slots.logWeights;
      }
    });
    const options = { ...this.options, delta: this.delta === Infinity ? INFINITY : this.delta };
    const capacities = [this.keySlab.capacity, this.valueSlab.capacity];
    return encodeState({ header: { options, shape: this.shape, count: this.count, capacities }, arrays });
  }

  /** @throws {DataError} the state is none of a cache with these options */
  restore(saved: SavedState): void {
    const { t, s, shape } = this;
    this.count = saved.integer('count', 0, MOST_TOKENS);
    const capacities = saved.value('capacities');
    if (!Array.isArray(capacities) || !capacities.every((rows) => Number.isSafeInteger(rows) && rows >= 0))
      throw damaged(`capacities are ${JSON.stringify(capacities)}; expected two integers`);
    const slab = (name: string, valueDim: number, capacity: number) =>
      Slab.restore(saved.part(`${name} slab `), { ...shape, valueDim }, capacity, this.count);
    this.keySlab = slab('key', this.keyValueDim, capacities[0]);
    this.valueSlab = slab('value', shape.valueDim, capacities[1]);
    this.heads = this.heads.map(({ clusters: { dim, delta } }, head) => {
      const mine = saved.part(`${head} `);
      const size = mine.length('counts');
      const counts = mine.array('counts', Float64Array, size);
      const representatives = mine.array('representatives', Float32Array, size * dim);
      const scalars = mine.array('scalars', Float64Array, 2);
      mine.every('representatives', representatives, Number.isFinite, 'finite numbers');
      mine.every('counts', counts, (n) => Number.isSafeInteger(n) && n >= 1, 'integers ≥ 1');
      mine.every('scalars', scalars, (x) => x >= 0 && x < Infinity, 'numbers ≥ 0');
      const tokens = counts.reduce((sum, count) => sum + count, 0);
      if (tokens !== this.count || !Number.isSafeInteger(scalars[1]))
        throw damaged(`clusters of key head ${head} hold ${tokens} tokens of ${this.count}`);
      // μ > 0 says that there was a value other than 0, which then fills all slots.
      const valueSlots = scalars[0] > 0 ? s : 0;
      return {
        clusters: DeltaClusters.restore({ dim, delta, representatives, counts }),
        keySlots: SampleSlots.restore(mine.part('key '), this.keySlab, head, t * size),
        valueSlots: SampleSlots.restore(mine.part('value '), this.valueSlab, head, valueSlots),
        scalars,
      };
    });
  }

  /** Clusters come first, many tokens together where there are many; then each token meets its slots, with counts as they were at its turn. */
  private async takeTokens(head: number, count: number, tokenAt: (i: number) => Token): Promise<void> {
    const { clusters } = this.heads[head];
    const { dim } = this.shape;
    const tokens = Array.from({ length: count }, (_, i) => tokenAt(i));
    const members = new Map<number, number>();
    const before = clusters.counts.slice(0, clusters.size);
    const labels = new Uint32Array(count);
    if (count * clusters.size < PAIRS_WORTH_CALLING)
      for (const [i, { key }] of tokens.entries()) labels[i] = clusters.add(key);
    else {
      const keys = new Float32Array(count * dim);
      for (const [i, { key }] of tokens.entries()) keys.set(key, i * dim);
      labels.set(await clusters.addAll({ data: keys, rows: count, cols: dim }));
    }
    for (const [i, token] of tokens.entries()) {
      const cluster = labels[i];
      const rows = (members.get(cluster) ?? before[cluster] ?? 0) + 1;
      members.set(cluster, rows);
      this.takeKey(head, token, cluster, rows);
      if (!this.options.selfNormalised) this.takeValue(head, token);
    }
  }

  /** @param members - tokens of the cluster, this one included */
  private takeKey(head: number, { key, value, position }: Token, cluster: number, members: number): void {
    const { t } = this;
    const { keySlots } = this.heads[head];
    // The first key of a cluster enters all slots; a later one each with probability 1/members.
    const chosen = this.coins(head, t, 1 / members);
    const logWeight = Math.log(members / t);
    if (chosen.length > 0)
      keySlots.fill(
        this.keySlab,
        head,
        chosen.map((slot) => cluster * t + slot),
        logWeight,
        (row) => this.keySlab.put(head, row, key, this.options.selfNormalised ? value : NO_VALUE, position),
      );
    // A row of several slots is weighed as often: cheaper than to tell them apart.
    for (let slot = cluster * t; slot < (cluster + 1) * t; slot++)
      keySlots.setWeight(this.keySlab, head, keySlots.rows[slot], logWeight);
  }

  private takeValue(head: number, { key, value, position }: Token): void {
    const { valueSlots, scalars } = this.heads[head];
    let square = 0;
    for (const v of value) square += v * v;
    if (square === 0) return;
    scalars[0] += square;
    // The very first has probability 1. The factor μ/s, alike for all, is left to the query.
    valueSlots.fill(
      this.valueSlab,
      head,
      this.coins(head, this.s, square / scalars[0]),
      -Math.log(square),
      (row) => this.valueSlab.put(head, row, key, value, position),
    );
  }

  /** Which of `slots` independent coins of probability p come up heads. */
  private coins(head: number, slots: number, p: number): readonly number[] {
    const { scalars } = this.heads[head];
    if (p >= 1) return range(slots);
    let heads: number[] | undefined; // most tokens change no slot
    const logTails = Math.log1p(-p);
    for (let slot = -1; ; ) {
      const u = 1 - this.rng.at(scalars[1] * this.shape.keyHeads + head);
      scalars[1]++;
      slot += 1 + Math.floor(Math.log(u) / logTails);
      if (!(slot < slots)) return heads ?? NO_SLOTS;
      heads ??= [];
      heads.push(slot);
    }
  }
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

export function subGenCache(shape: Required<CacheShape>, options: SubGenOptions): SubGenCache {
  return new SubGenCache(shape, options);
}
