// Protocol S3: policies of equal rows on a stream whose keys cluster, with room for fewer or for more centers than there are clusters.

import {
  firstSeeds,
  judge,
  type Measured,
  measure,
  type ProtocolOptions,
  type ProtocolReport,
  partOf,
} from '../../reproduce/protocol.ts';
import { type CacheOptions, createCache, oracleAnswer } from '../index.ts';
import { plantedRetrieval, type RetrievalStream } from './retrieval-stream.ts';

export interface PoliciesOptions extends ProtocolOptions {
  /** Tokens. Default 2000. */
  rows?: number | undefined;
  /** Planted clusters; the needle is one more. Default 64. */
  clusters?: number | undefined;
  /** Rows kept: 4 sinks, 32 recent tokens, the rest centers. Default [72, 104]: fewer centers than clusters, and more. */
  budgets?: readonly [few: number, enough: number] | undefined;
  /** Questions about clusters in each run. Default 40. */
  queries?: number | undefined;
}

export type ComparedCache =
  | 'sinks and recent'
  | 'uniform'
  | 'k-center, selected'
  | 'k-center, weighted'
  | 'k-center, merged'
  | 'hybrid';

/** ‖õ − o‖ / ‖o‖, mean over the questions. */
export interface PolicyFigures {
  budget: number;
  cache: ComparedCache;
  /** Questions about clusters. */
  generic: Measured;
  /** The question about the one token like no other. */
  needle: Measured;
}

const sinks = 4;
const recent = 32;

const caches: Record<ComparedCache, (budget: number, seed: number) => CacheOptions> = {
  'sinks and recent': (budget) => ({ policy: 'sink-window', budget, sinks }),
  uniform: (budget, seed) => ({ policy: 'uniform', budget, sinks, recent, seed }),
  'k-center, selected': (budget) => ({ policy: 'k-center', mode: 'select', budget, sinks, recent }),
  'k-center, weighted': (budget) => ({ policy: 'k-center', mode: 'weighted', budget, sinks, recent }),
  'k-center, merged': (budget) => ({ policy: 'k-center', mode: 'merge', budget, sinks, recent }),
  hybrid: (budget) => ({ policy: 'hybrid', budget, sinks, recent }),
};

/** Default: 5 seeds. Time about 5 s on two cores. Source: SubGen, arXiv 2402.06082, k-center of the experiments; modes and stream are ours. */
export async function reproducePolicies(
  options: PoliciesOptions = {},
): Promise<ProtocolReport<PolicyFigures[]>> {
  const { rows = 2000, clusters = 64, budgets = [72, 104], queries = 40, seeds = firstSeeds(5) } = options;
  const names = Object.keys(caches) as ComparedCache[];
  const settings = budgets.flatMap((budget) =>
    names.map((cache) => ({ budget, cache, generic: [] as number[], needle: [] as number[] })),
  );
  for (const [i, seed] of seeds.entries()) {
    const { signal } = partOf(options, 'policies', i, seeds.length);
    const planted = plantedRetrieval({ rows, clusters, seed });
    const ask = questions(planted, rows, queries);
    for (const setting of settings) {
      signal?.throwIfAborted();
      const errors = await ask(caches[setting.cache](setting.budget, seed));
      setting.generic.push(errors.generic);
      setting.needle.push(errors.needle);
    }
  }
  const figures = settings.map(({ budget, cache, generic, needle }) => ({
    ...{ budget, cache },
    ...{ generic: measure(generic), needle: measure(needle) },
  }));
  return {
    id: 'S3',
    title: 'Policies of equal rows on a stream whose keys cluster',
    setting: { rows, dim: 32, clusters, sinks, recent, budgets, queries, seeds },
    figures,
    verdicts: verdictsOf(figures, budgets),
  };
}

/** The questions about a stream with their exact answers; asks a cache of some options. */
function questions(
  { shape, stream, needleQuery }: RetrievalStream,
  rows: number,
  count: number,
): (options: CacheOptions) => Promise<{ generic: number; needle: number }> {
  const { dim, scale = 1 } = shape;
  const layer = { ...shape, scale, storage: 'float32' as const };
  const asked = Array.from({ length: count }, (_, i) => {
    const at = Math.floor(((i + 0.5) * rows) / count) * dim;
    return stream.queries.slice(at, at + dim);
  });
  const exact = [...asked, needleQuery].map((query) => oracleAnswer(layer, stream, rows, 0, query).output);
  return async (options) => {
    const cache = createCache(shape, options);
    await cache.append(stream.keys, stream.values, { queries: stream.queries });
    const errors: number[] = [];
    for (const [i, query] of [...asked, needleQuery].entries()) {
      const { output } = await cache.attend(query);
      const error = Math.hypot(...exact[i].map((x, p) => output[p] - x));
      errors.push(error / Math.hypot(...exact[i]));
    }
    const needle = errors.pop()!;
    return { generic: measure(errors).mean, needle };
  };
}

function verdictsOf(figures: readonly PolicyFigures[], [few, enough]: readonly [number, number]) {
  const of = (cache: ComparedCache, budget: number) =>
    figures.find((row) => row.cache === cache && row.budget === budget)!;
  const selected = of('k-center, selected', enough);
  const weighted = of('k-center, weighted', enough);
  const merged = of('k-center, merged', enough);
  const unit = 'relative error';
  const ratio = 'ratio of errors';
  return [
    judge(
      `${few} rows, too few centers: even merged ones lose the needle`,
      of('k-center, merged', few).needle.mean,
      {
        ...{ low: 0.3, unit },
      },
    ),
    judge(`${enough} rows: merged centers answer generic questions`, merged.generic.mean, {
      high: 0.05,
      unit,
    }),
    judge(`${enough} rows: merged centers keep the needle`, merged.needle.mean, { high: 0.05, unit }),
    judge(`${enough} rows: merged beat weighted`, merged.generic.mean / weighted.generic.mean, {
      ...{ high: 0.5, unit: ratio },
    }),
    judge(
      `${enough} rows: selected centers beat sinks and recent at the needle`,
      selected.needle.mean / of('sinks and recent', enough).needle.mean,
      {
        ...{ high: 0.7, unit: ratio },
      },
    ),
    judge(
      `${enough} rows: selected centers beat uniform samples at the needle`,
      selected.needle.mean / of('uniform', enough).needle.mean,
      {
        ...{ high: 0.7, unit: ratio },
      },
    ),
    judge(
      'the step from too few centers to enough: merged',
      of('k-center, merged', few).generic.mean / merged.generic.mean,
      {
        ...{ low: 10, unit: ratio },
      },
    ),
  ];
}
