// A cache at work on a real stream: pictures come class by class with their labels, and attention over what is kept names new ones.

import { DeltaClusters } from '../../clustering/index.ts';
import type { Certificate } from '../../core/certificate.ts';
import { requireInteger } from '../../core/check.ts';
import { createRng } from '../../core/rng.ts';
import { chernoffUpperLimit } from '../../core/statistics/index.ts';
import { type LabelledDataset, type LabelledRows, loadFashionMnist } from '../../data/datasets/index.ts';
import { loadKernels } from '../../kernels/index.ts';
import {
  firstSeeds,
  judge,
  type ProtocolOptions,
  type ProtocolReport,
  partOf,
} from '../../reproduce/protocol.ts';
import {
  auditAnswers,
  CACHE_POLICIES,
  type CacheShape,
  type ComparedPolicy,
  type ComparisonRow,
  comparePolicies,
  createCache,
  type KeyValueCache,
  type TokenStream,
  withinBytes,
} from '../index.ts';
import { plantedRetrieval } from './retrieval-stream.ts';

export interface PictureMemoryOptions extends ProtocolOptions {
  /** Default: Fashion-MNIST. */
  dataset?: LabelledDataset | undefined;
  /** Pictures in the stream. Default 4096. */
  rows?: number | undefined;
  /** Numbers that a picture becomes. Default 32. */
  dim?: number | undefined;
  /** Logit of a picture with itself. Default 40. */
  strength?: number | undefined;
  /** Bytes of the full cache over those of the others. Default 16. */
  compression?: number | undefined;
  /** Default: all; SubGen, which has no budget, with as many samples and clusters as fit into the bytes. */
  policies?: readonly ComparedPolicy[] | undefined;
  /** Test pictures that accuracy, certificate and audit each take. Default 500. */
  asked?: number | undefined;
  /** Probability that the certificate's bound may fail. Default 0.05. */
  failureProbability?: number | undefined;
}

export interface PictureMemoryFigures {
  /** Every policy at every checkpoint. */
  rows: ComparisonRow[];
  /** Share of test pictures named right, by policy. */
  accuracy: Record<string, number>;
  /** The policy that is shown and certified: 'hybrid', or without it the bounded one with the least error. */
  shown: string;
  /** How often its answer is another than that of the full cache. */
  certificate: Certificate;
  /** What is certain of the hybrid cache on a planted stream of clusters, 104 of 2000 tokens' rows. */
  planted: Certificate;
  /** Tokens that a policy keeps, by eighths of the stream, share of all it keeps. */
  kept: Record<string, number[]>;
}

/**
 * Keys are pictures, minus their mean, through a fixed random projection to unit length; values are classes, one-hot; queries are test pictures. So the
 * answer is a vote of the pictures seen, each weighted by e^(β cos). One seed; time about 10 s on two cores.
 */
export async function reproducePictureMemory(
  options: PictureMemoryOptions = {},
): Promise<ProtocolReport<PictureMemoryFigures>> {
  const {
    rows = 4096,
    dim = 32,
    strength = 40,
    compression = 16,
    asked = 500,
    failureProbability = 0.05,
  } = options;
  const [seed] = options.seeds ?? firstSeeds(1);
  const run = partOf(options, 'reading pictures', 0, 1);
  const dataset = options.dataset ?? (await loadFashionMnist(run));
  requireInteger('reproducePictureMemory: rows', rows, 8, dataset.train.labels.length);
  requireInteger('reproducePictureMemory: asked', asked, 1, Math.floor(dataset.test.labels.length / 3));
  const project = projection(dataset.train, rows, dim, seed);
  const classes = dataset.classes.length;
  const order = classByClass(dataset.train, rows);
  const pictures = project(dataset.train, order);
  const test = project(
    dataset.test,
    Array.from({ length: dataset.test.labels.length }, (_, i) => i),
  );
  const stream: TokenStream = {
    keys: pictures,
    values: oneHot(dataset.train.labels, order, classes),
    queries: Float32Array.from(pictures, (_, i) => test[i % test.length]),
  };
  const shape: CacheShape = { heads: 1, keyHeads: 1, dim, valueDim: classes, scale: strength };
  const bytes = Math.floor((4 * rows * (dim + classes)) / compression);
  const { policies = await allPolicies(stream.keys, dim, classes, bytes, seed) } = options;
  const compared = await comparePolicies(shape, stream, {
    ...{ policies, bytes, checkpoints: eighths(rows), queries: 16 },
    ...{ signal: options.signal, onProgress: options.onProgress },
  });
  const caches = new Map<string, KeyValueCache>();
  for (const [i, { name, ...policy }] of policies.entries()) {
    const { signal } = partOf(options, 'asking the caches', i, policies.length);
    const cache = createCache(shape, await withinBytes(shape, policy, bytes));
    await cache.append(stream.keys, stream.values, { queries: stream.queries, signal });
    caches.set(name ?? policy.policy, cache);
  }
  const full = createCache(shape, { policy: 'full' });
  await full.append(stream.keys, stream.values);
  const ask = (cache: KeyValueCache, from: number) => answers(cache, test, from, asked, dim);
  const accuracy: Record<string, number> = {};
  for (const [name, cache] of caches) {
    const named = await ask(cache, 0);
    accuracy[name] = named.filter((label, i) => label === dataset.test.labels[i]).length / asked;
  }
  const last = compared.filter((row) => row.tokens === rows && row.policy !== 'full');
  // A few queries do not tell policies of like error apart: what is shown is fixed beforehand, where it takes part.
  const shown = caches.has(RECOMMENDED)
    ? RECOMMENDED
    : last.reduce((a, b) => (b.relativeError < a.relativeError ? b : a)).name;
  const certificate = await certify(shown, async (from) => {
    const [own, exact] = [await ask(caches.get(shown)!, from), await ask(full, from)];
    return own.filter((label, i) => label !== exact[i]).length / asked;
  });
  const kept = Object.fromEntries(
    [...caches].map(([name, cache]) => {
      const counts = new Array<number>(8).fill(0);
      const tokens = cache.kept(0);
      for (const { position } of tokens) counts[Math.floor((8 * position) / rows)] += 1 / tokens.length;
      return [name, counts];
    }),
  );
  const planted = await plantedCertificate(seed);
  const figures: PictureMemoryFigures = { rows: compared, accuracy, shown, certificate, planted, kept };
  return {
    id: 'M1',
    title: 'Pictures remembered in fewer bytes',
    setting: { data: dataset.name, pictures: rows, dim, strength, bytes, order: 'class by class', seed },
    figures,
    verdicts: verdictsOf(figures, classes),
  };

  /** The queries of the certificate, and those of its audit, were not used to choose the policy. */
  async function certify(
    policy: string,
    disagreement: (from: number) => Promise<number>,
  ): Promise<Certificate> {
    const { backend, simd } = await loadKernels();
    const measured = await disagreement(asked);
    const error = await disagreement(2 * asked);
    const value = chernoffUpperLimit(measured, asked, failureProbability);
    return {
      statement: `share of questions that ${policy} answers otherwise than the full cache`,
      source: 'derived: Chernoff limit on questions drawn like those asked',
      assumptions: [
        { statement: 'questions asked later are drawn like those the bound rests on', status: 'assumed' },
        {
          statement: 'the questions had no part in choosing the policy',
          status: 'proved',
          measured,
          measure: `share of ${asked} questions answered otherwise`,
        },
      ],
      bound: { value, unit: 'of all questions', failureProbability, scale: 1 },
      ...{ seed, backend: `${backend} ${simd}`, warnings: [] },
      audit: {
        ...{ error, sample: `${asked} other questions`, kept: error <= value },
        slack: error === 0 ? Infinity : value / error,
      },
    };
  }
}

const RECOMMENDED = 'hybrid';

/**
 * Of the full cache's accuracy. On 12 seeds that had no part in any choice hybrid keeps 0.83 of it with a standard deviation of 0.033 (0.81 and 0.053 in
 * quick runs of 1024 pictures): three deviations below that.
 */
const LEAST_KEPT = 0.65;

async function plantedCertificate(seed: number): Promise<Certificate> {
  const { shape, stream } = plantedRetrieval({ seed });
  const cache = createCache(shape, { policy: 'hybrid', budget: 104, sinks: 4, recent: 32 });
  await cache.append(stream.keys, stream.values);
  return auditAnswers(cache, stream);
}

function verdictsOf({ rows, accuracy, shown }: PictureMemoryFigures, classes: number) {
  const bytesOf = (name: string) => rows.findLast((row) => row.name === name)!.bytes;
  const verdicts = [];
  if (accuracy.full !== undefined) {
    verdicts.push(
      judge('the full cache names pictures', accuracy.full, { low: 2 / classes, unit: 'of all right' }),
      judge(`${shown} keeps most of that`, accuracy[shown] / accuracy.full, {
        low: LEAST_KEPT,
        unit: 'ratio',
      }),
      judge(`${shown} takes less memory`, bytesOf('full') / bytesOf(shown), { low: 8, unit: 'times less' }),
    );
  }
  if (accuracy['sink-window'] !== undefined && shown !== 'sink-window')
    verdicts.push(
      judge('a window forgets what came early', accuracy[shown] / accuracy['sink-window'], {
        ...{ low: 1.5, unit: 'times as many right' },
      }),
    );
  return verdicts;
}

async function allPolicies(
  keys: Float32Array,
  dim: number,
  valueDim: number,
  bytes: number,
  seed: number,
): Promise<ComparedPolicy[]> {
  const others = CACHE_POLICIES.filter((policy) => policy !== 'subgen').map(
    (policy) => ({ policy }) as ComparedPolicy,
  );
  // Its arrays grow by doubling, so powers of two fill them. A cluster takes two keys, a value and ten numbers of bookkeeping.
  const powerBelow = (count: number) => 2 ** Math.max(0, Math.floor(Math.log2(count)));
  const mostClusters = powerBelow(bytes / (4 * (2 * dim + valueDim + 10)));
  const delta = await deltaFor(keys, dim, mostClusters);
  // One vote weighs e^40: only where numerator and denominator have the same samples is the answer an average of what is kept.
  return [...others, { policy: 'subgen', delta, clusterSamples: 1, selfNormalised: true, seed }];
}

/** The least δ, to a thousandth, that cuts keys of length ≤ 1 into so few clusters. */
async function deltaFor(keys: Float32Array, dim: number, most: number): Promise<number> {
  let [low, high] = [0, 2];
  while (high - low > 0.001) {
    const delta = (low + high) / 2;
    const clusters = new DeltaClusters({ dim, delta });
    await clusters.addAll({ data: keys, rows: keys.length / dim, cols: dim });
    if (clusters.size > most) low = delta;
    else high = delta;
  }
  return high;
}

type Project = (rows: LabelledRows, which: readonly number[]) => Float32Array;

/** Minus the mean of the first rows, times a fixed random matrix, to unit length. */
function projection({ features }: LabelledRows, rows: number, dim: number, seed: number): Project {
  const { cols, data } = features;
  const rng = createRng(seed).fork('projection');
  const matrix = Float32Array.from({ length: cols * dim }, () => rng.normal());
  const mean = new Float64Array(cols);
  for (let i = 0; i < rows; i++) for (let p = 0; p < cols; p++) mean[p] += data[i * cols + p] / rows;
  return ({ features: { data: pixels } }, which) => {
    const projected = new Float32Array(which.length * dim);
    const sums = new Float64Array(dim);
    for (const [i, row] of which.entries()) {
      sums.fill(0);
      for (let p = 0; p < cols; p++) {
        const pixel = pixels[row * cols + p] - mean[p];
        for (let c = 0; c < dim; c++) sums[c] += pixel * matrix[p * dim + c];
      }
      const norm = Math.sqrt(sums.reduce((sum, x) => sum + x * x, 0));
      for (let c = 0; c < dim; c++) projected[i * dim + c] = norm === 0 ? 0 : sums[c] / norm;
    }
    return projected;
  };
}

/** The first rows, those of class 0 first. */
function classByClass({ labels }: LabelledRows, rows: number): number[] {
  return Array.from({ length: rows }, (_, i) => i).sort((a, b) => labels[a] - labels[b] || a - b);
}

function oneHot(labels: Uint8Array, which: readonly number[], classes: number): Float32Array {
  const values = new Float32Array(which.length * classes);
  for (const [i, row] of which.entries()) values[i * classes + labels[row]] = 1;
  return values;
}

/** The class with the most votes, for each of `count` queries. */
async function answers(
  cache: KeyValueCache,
  queries: Float32Array,
  from: number,
  count: number,
  dim: number,
): Promise<number[]> {
  const labels: number[] = [];
  for (let i = from; i < from + count; i++) {
    const { output } = await cache.attend(queries.slice(i * dim, (i + 1) * dim));
    labels.push(output.indexOf(Math.max(...output)));
  }
  return labels;
}

function eighths(rows: number): number[] {
  return Array.from({ length: 8 }, (_, i) => Math.floor((rows * (i + 1)) / 8));
}
