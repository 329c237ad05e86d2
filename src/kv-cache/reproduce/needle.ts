// Protocol S4: whether a token like no other is kept, against the rows there are.

import {
  firstSeeds,
  judge,
  type Measured,
  measure,
  type ProtocolOptions,
  type ProtocolReport,
  partOf,
} from '../../reproduce/protocol.ts';
import { type CacheOptions, createCache } from '../index.ts';
import { plantedRetrieval } from './retrieval-stream.ts';

export interface NeedleOptions extends ProtocolOptions {
  /** Tokens. Default 2000. */
  rows?: number | undefined;
  /** Planted clusters; the needle is one more. Default 64. */
  clusters?: number | undefined;
  /** Rows chosen from the older tokens, K, ascending. Default [32, 48, 56, 64, 68, 72, 96]. */
  chosen?: readonly number[] | undefined;
}

export interface NeedleFigures {
  policy: 'k-center' | 'uniform' | 'sink-window';
  /** K. */
  chosen: number;
  /** 1 where the needle is kept. */
  kept: Measured;
}

/** Default: 20 seeds, 4 sinks, 32 recent tokens. Time about 5 s on two cores. Source: SubGen, arXiv 2402.06082, its experiments; the stream is ours. */
export async function reproduceNeedle(options: NeedleOptions = {}): Promise<ProtocolReport<NeedleFigures[]>> {
  const { rows = 2000, clusters = 64, seeds = firstSeeds(20) } = options;
  const { chosen = [32, 48, 56, 64, 68, 72, 96] } = options;
  const policies = ['k-center', 'uniform', 'sink-window'] as const;
  const settings = policies.flatMap((policy) =>
    chosen.map((count) => ({ policy, chosen: count, kept: [] as number[] })),
  );
  for (const [i, seed] of seeds.entries()) {
    const { signal } = partOf(options, 'needles', i, seeds.length);
    const { shape, stream, needle } = plantedRetrieval({ rows, clusters, seed });
    for (const setting of settings) {
      signal?.throwIfAborted();
      const cache = createCache(
        shape,
        optionsOf(setting.policy, setting.chosen, (seed * 1000 + setting.chosen) >>> 0),
      );
      await cache.append(stream.keys, stream.values);
      setting.kept.push(cache.kept(0).some(({ position }) => position === needle) ? 1 : 0);
    }
  }
  const figures = settings.map(({ kept, ...setting }) => ({ ...setting, kept: measure(kept) }));
  return {
    id: 'S4',
    title: 'Whether a token like no other is kept',
    setting: { rows, dim: 32, clusters, sinks: 4, recent: 32, chosen, seeds },
    figures,
    verdicts: verdictsOf(figures, clusters, rows),
  };
}

function optionsOf(policy: NeedleFigures['policy'], chosen: number, seed: number): CacheOptions {
  const common = { budget: 4 + 32 + chosen, sinks: 4 };
  if (policy === 'sink-window') return { policy, ...common };
  if (policy === 'uniform') return { policy, ...common, recent: 32, seed };
  return { policy, ...common, recent: 32 };
}

function verdictsOf(figures: readonly NeedleFigures[], clusters: number, rows: number) {
  const of = (policy: NeedleFigures['policy']) => figures.filter((row) => row.policy === policy);
  const mean = (list: readonly NeedleFigures[]) => measure(list.map(({ kept }) => kept.mean)).mean;
  const [enough, uniform] = [of('k-center').filter(({ chosen }) => chosen > clusters), of('uniform')];
  const expected = measure(uniform.map(({ chosen }) => chosen / rows)).mean;
  const unit = 'of the runs';
  return [
    judge('k-center keeps it whenever K exceeds the clusters', mean(enough), { low: 1, unit }),
    // A share p of independent runs has standard error √(p / runs): four of them.
    judge(`uniform samples keep it as rarely as K / n = ${expected.toFixed(3)}`, mean(uniform), {
      high: expected + 4 * Math.sqrt(expected / (uniform.length * uniform[0].kept.values.length)),
      unit,
    }),
    judge('sinks and recent tokens never keep it', mean(of('sink-window')), { high: 0, unit }),
  ];
}
