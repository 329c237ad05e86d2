// Protocol W2: whether a hybrid cache would err less with small clusters kept token by token, or with samples of what its means leave out.

import { kCenterGreedy } from '../../clustering/index.ts';
import { prefixSum, searchPrefix } from '../../core/prefix-sum.ts';
import { createRng, type Rng } from '../../core/rng.ts';
import {
  firstSeeds,
  judge,
  type Measured,
  measure,
  type ProtocolOptions,
  type ProtocolReport,
  partOf,
} from '../../reproduce/protocol.ts';
import { oracleAnswer } from '../index.ts';
import { KINDS, type KindOfStream, type StreamKind } from './stream-kinds.ts';

export interface ResidualsOptions extends ProtocolOptions {
  /** Tokens. Default 3000. */
  rows?: number | undefined;
  /** Of keys and values. Default 32. */
  dim?: number | undefined;
  /** Bytes of each. Default 48 000. */
  bytes?: number | undefined;
  /** Questions of each run. Default 48. */
  questions?: number | undefined;
}

export interface ResidualsFigures {
  kind: StreamKind;
  variant: string;
  /** ‖õ − o‖ / ‖o‖, mean over the questions. */
  error: Measured;
}

/** Clusters of up to τ₀ tokens kept as they are, or a share of the bytes for samples, drawn alike or as far from their mean as a token is. */
type Variant =
  | { name: string; exactUpTo: number }
  | { name: string; sampled: number; by: 'uniform' | 'distance' };

const MERGED: Variant = { name: 'merged centers', exactUpTo: 0 };
const VARIANTS: readonly Variant[] = [
  MERGED,
  ...[1, 2, 4, 8].map((exactUpTo) => ({ name: `clusters of up to ${exactUpTo} kept exactly`, exactUpTo })),
  ...[0.1, 0.3].flatMap((sampled) =>
    (['uniform', 'distance'] as const).map((by) => ({
      name: `${sampled} of the bytes for samples, by ${by}`,
      ...{ sampled, by },
    })),
  ),
];

const SINKS = 4;
const RECENT = 20;

/**
 * Works out in float64 what such caches would answer at equal bytes: a token kept takes 8d + 8 bytes, a center 4d + 76 more, a sample 8 more. Samples
 * i with probabilities p_i add (e^{s_i} v_i − e^{m_c} y_c) / (p_i · samples) to the sum over centers c with mean logit m_c and mean value y_c: without
 * bias, but with a variance that many tokens share out among few samples. Default: 10 seeds. Time about 20 s on two cores. Derived: beyond arXiv 2402.06082.
 */
export async function reproduceResiduals(
  options: ResidualsOptions = {},
): Promise<ProtocolReport<ResidualsFigures[]>> {
  const { rows = 3000, dim = 32, bytes = 48_000, questions = 48, seeds = firstSeeds(10) } = options;
  const kinds = Object.keys(KINDS) as StreamKind[];
  const runs = kinds.flatMap((kind) =>
    VARIANTS.map((variant) => ({ kind, variant, errors: [] as number[] })),
  );
  for (const [i, seed] of seeds.entries()) {
    const { signal } = partOf(options, 'streams', i, seeds.length);
    for (const kind of kinds) {
      signal?.throwIfAborted();
      const error = simulation(KINDS[kind]({ rows, dim, questions, seed }), bytes, seed);
      for (const run of runs) if (run.kind === kind) run.errors.push(await error(run.variant));
    }
  }
  const figures = runs.map(({ kind, variant, errors }) => ({
    ...{ kind, variant: variant.name },
    error: measure(errors),
  }));
  return {
    id: 'W2',
    title: 'Small clusters kept exactly, and samples of residuals',
    setting: { rows, dim, bytes, sinks: SINKS, recent: RECENT, questions, seeds },
    figures,
    verdicts: verdictsOf(figures, kinds),
  };
}

interface Term {
  logit: number;
  /** May be negative. */
  weight: number;
  value: ArrayLike<number>;
}

interface Cluster {
  members: number[];
  key: Float64Array;
  value: Float64Array;
}

/** The error of a variant on one stream. */
function simulation(
  { shape, stream, questions }: KindOfStream,
  bytes: number,
  seed: number,
): (variant: Variant) => Promise<number> {
  const { dim } = shape;
  const total = stream.keys.length / dim;
  const [tokenBytes, centerBytes, sampleBytes] = [8 * dim + 8, 12 * dim + 84, 8 * dim + 16];
  const room = bytes - (SINKS + RECENT) * tokenBytes;
  const older = total - SINKS - RECENT;
  const keyAt = (t: number) => stream.keys.subarray(t * dim, (t + 1) * dim);
  const valueAt = (t: number) => stream.values.subarray(t * dim, (t + 1) * dim);
  const layer = { ...shape, scale: 1, storage: 'float32' as const };
  const asked = Array.from({ length: questions.length / dim }, (_, i) =>
    questions.slice(i * dim, (i + 1) * dim),
  );
  const exact = asked.map(
    (query) => oracleAnswer(layer, { ...stream, queries: questions }, total, 0, query).output,
  );
  const token = (query: Float32Array, t: number, weight = 1): Term => ({
    ...{ logit: dot(query, keyAt(t)), weight, value: valueAt(t) },
  });
  const center = (query: Float32Array, { key, value }: Cluster, weight: number): Term => ({
    ...{ logit: dot(query, key), weight, value },
  });

  const clustersOf = async (k: number): Promise<Cluster[]> => {
    const data = stream.keys.slice(SINKS * dim, (SINKS + older) * dim);
    const { indices, labels } = await kCenterGreedy({ data, rows: older, cols: dim }, { k, first: 0 });
    const clusters = Array.from(indices, () => ({ members: [] as number[] }));
    labels.forEach((label, i) => {
      clusters[label].members.push(SINKS + i);
    });
    return clusters.map(({ members }) => ({
      members,
      ...{ key: meanOf(members.map(keyAt), dim), value: meanOf(members.map(valueAt), dim) },
    }));
  };

  const keptExactly = async (upTo: number) => {
    const costOf = (clusters: readonly Cluster[]) =>
      clusters.reduce(
        (sum, { members: { length } }) => sum + (length <= upTo ? length * tokenBytes : centerBytes),
        0,
      );
    // The most centers that fit: small clusters may take less than a center, or more.
    let [low, high] = [1, Math.ceil(room / tokenBytes)];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (costOf(await clustersOf(middle)) <= room) low = middle;
      else high = middle;
    }
    const clusters = await clustersOf(low);
    return (query: Float32Array): Term[] =>
      clusters.flatMap((cluster) =>
        cluster.members.length <= upTo
          ? cluster.members.map((t) => token(query, t))
          : [center(query, cluster, cluster.members.length)],
      );
  };

  const withSamples = async (share: number, by: 'uniform' | 'distance', rng: Rng) => {
    const count = Math.max(1, Math.floor((share * room) / sampleBytes));
    const clusters = await clustersOf(Math.floor((room - count * sampleBytes) / centerBytes));
    const all = clusters.flatMap((cluster) => cluster.members.map((t) => ({ t, cluster })));
    const sizes = all.map(({ t, cluster }) =>
      by === 'uniform' ? 1 : distance(keyAt(t), cluster.key) + 1e-9,
    );
    const prefix = prefixSum(Float64Array.from(sizes));
    const sum = sizes.reduce((a, b) => a + b, 0);
    const drawn = Array.from({ length: count }, () => searchPrefix(prefix, rng.next() * sum));
    return (query: Float32Array): Term[] => [
      ...clusters.map((cluster) => center(query, cluster, cluster.members.length)),
      ...drawn.flatMap((i) => {
        const weight = sum / sizes[i] / count;
        return [token(query, all[i].t, weight), center(query, all[i].cluster, -weight)];
      }),
    ];
  };

  return async (variant) => {
    const rng = createRng(seed).fork(variant.name);
    const terms =
      'sampled' in variant
        ? await withSamples(variant.sampled, variant.by, rng)
        : await keptExactly(variant.exactUpTo);
    const errors = asked.map((query, i) => {
      const list = terms(query);
      for (let t = 0; t < total; t++) if (t < SINKS || t >= SINKS + older) list.push(token(query, t));
      const answer = quotient(list, dim);
      return Math.hypot(...exact[i].map((x, p) => answer[p] - x)) / Math.hypot(...exact[i]);
    });
    return measure(errors).mean;
  };
}

/** Σ w e^s v / Σ w e^s; 0 where samples have made the denominator 0 or less. */
function quotient(terms: readonly Term[], dim: number): Float64Array {
  const most = terms.reduce((a, { logit }) => Math.max(a, logit), -Infinity);
  const output = new Float64Array(dim);
  let total = 0;
  for (const { logit, weight, value } of terms) {
    const mass = weight * Math.exp(logit - most);
    total += mass;
    for (let p = 0; p < dim; p++) output[p] += mass * value[p];
  }
  return total > 0 ? output.map((x) => x / total) : new Float64Array(dim);
}

function meanOf(rows: readonly Float32Array[], dim: number): Float64Array {
  const mean = new Float64Array(dim);
  for (const row of rows) for (let p = 0; p < dim; p++) mean[p] += row[p] / rows.length;
  return mean;
}

function dot(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let sum = 0;
  for (let p = 0; p < x.length; p++) sum += x[p] * y[p];
  return sum;
}

function distance(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let sum = 0;
  for (let p = 0; p < x.length; p++) sum += (x[p] - y[p]) ** 2;
  return Math.sqrt(sum);
}

function verdictsOf(figures: readonly ResidualsFigures[], kinds: readonly StreamKind[]) {
  const gainOn = (kind: StreamKind, isVariant: (name: string) => boolean) => {
    const rows = figures.filter((row) => row.kind === kind);
    const merged = rows.find(({ variant }) => variant === MERGED.name)!.error.mean;
    return (
      Math.min(...rows.filter(({ variant }) => isVariant(variant)).map(({ error }) => error.mean)) / merged
    );
  };
  const best = (isVariant: (name: string) => boolean) =>
    Math.min(...kinds.map((kind) => gainOn(kind, isVariant)));
  const unit = 'of the error of merged centers';
  return [
    judge(
      'small clusters kept exactly lower the error nowhere by much',
      best((name) => name.includes('exactly')),
      {
        ...{ low: 0.9, unit },
      },
    ),
    judge(
      'samples of residuals raise it everywhere',
      best((name) => name.includes('samples')),
      { low: 1, unit },
    ),
  ];
}
