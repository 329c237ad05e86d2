// Protocol S1: how many clusters a stream of keys has, as it grows.

import { DeltaClusters } from '../../clustering/index.ts';
import type { Matrix32 } from '../../core/matrix.ts';
import { createRng } from '../../core/rng.ts';
import { plantedStream } from '../../data/datasets/index.ts';
import {
  firstSeeds,
  judge,
  type ProtocolOptions,
  type ProtocolReport,
  partOf,
} from '../../reproduce/protocol.ts';

export interface ClusterOptions extends ProtocolOptions {
  /** Tokens at which clusters are counted, ascending. Default [500, 1000, 2000, 4000]. */
  tokens?: readonly number[] | undefined;
  /** Planted clusters. Default 16. */
  clusters?: number | undefined;
  /** δ, a distance of keys. Default 1. */
  delta?: number | undefined;
}

/** Clusters of one stream. */
export interface ClusterFigures {
  stream: 'keys in clusters' | 'normal keys' | 'values of the clusters';
  /** At each count of tokens. */
  clusters: number[];
}

/** The first seed only. Time about 2 s on two cores. Source: SubGen, arXiv 2402.06082, clusterability; streams are ours. */
export async function reproduceClusters(
  options: ClusterOptions = {},
): Promise<ProtocolReport<ClusterFigures[]>> {
  const { tokens = [500, 1000, 2000, 4000], clusters = 16, delta = 1 } = options;
  const [seed] = options.seeds ?? firstSeeds(1);
  const rows = tokens[tokens.length - 1];
  const planted = plantedStream({ rows, clusters, seed });
  const rng = createRng(seed).fork('normal keys');
  const normal: Matrix32 = {
    ...planted.keys,
    data: planted.keys.data.map(() => rng.normal()),
  };
  const streams: Record<ClusterFigures['stream'], Matrix32> = {
    'keys in clusters': planted.keys,
    'values of the clusters': planted.values,
    'normal keys': normal,
  };
  const figures: ClusterFigures[] = [];
  for (const [i, [stream, points]] of Object.entries(streams).entries()) {
    const run = partOf(options, stream, i, 3);
    const counts: number[] = [];
    const found = new DeltaClusters({ dim: points.cols, delta });
    for (let from = 0; counts.length < tokens.length; from = tokens[counts.length - 1]) {
      const to = tokens[counts.length];
      const part = {
        data: points.data.subarray(from * points.cols, to * points.cols),
        ...{ rows: to - from, cols: points.cols },
      };
      await found.addAll(part, run);
      counts.push(found.size);
    }
    figures.push({ stream: stream as ClusterFigures['stream'], clusters: counts });
  }
  return {
    id: 'S1',
    title: 'Clusters of a stream as it grows',
    setting: { tokens, dim: planted.keys.cols, clusters, noise: 0.3, delta, seed },
    figures,
    verdicts: verdictsOf(figures, tokens, clusters),
  };
}

function verdictsOf(figures: readonly ClusterFigures[], tokens: readonly number[], planted: number) {
  const of = (stream: ClusterFigures['stream']) => figures.find((row) => row.stream === stream)!.clusters;
  const keys = of('keys in clusters');
  const share = of('normal keys').map((count, i) => count / tokens[i]);
  return [
    judge('keys in clusters: no more clusters than planted, at any length', Math.max(...keys), {
      ...{ low: planted, high: planted, unit: 'clusters' },
    }),
    judge('keys in clusters: no fewer, at any length', Math.min(...keys), {
      low: planted,
      high: planted,
      unit: 'clusters',
    }),
    judge('normal keys: every token its own, so nothing is saved', Math.min(...share), {
      ...{ low: 0.999, unit: 'of the tokens' },
    }),
  ];
}
