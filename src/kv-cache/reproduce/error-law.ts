// Protocol S2: how SubGen's error falls with its samples.

import { operatorNorm } from '../../attention/operator-norm.ts';
import { createRng } from '../../core/rng.ts';
import { plantedStream } from '../../data/datasets/index.ts';
import { loadKernels } from '../../kernels/index.ts';
import {
  firstSeeds,
  judge,
  logLogSlope,
  type Measured,
  measure,
  type ProtocolOptions,
  type ProtocolReport,
  partOf,
} from '../../reproduce/protocol.ts';
import { createCache, oracleAnswer, type TokenStream } from '../index.ts';

export interface ErrorLawOptions extends ProtocolOptions {
  /** Tokens. Default 2000. */
  rows?: number | undefined;
  /** Planted clusters. Default 16. */
  clusters?: number | undefined;
  /** δ. Default 1. */
  delta?: number | undefined;
  /** ‖q‖; logits are ⟨q, k⟩. Default 2. */
  queryNorm?: number | undefined;
  /** Samples per cluster, t, with the most value samples. Default [1, 4, 16]. */
  clusterSamples?: readonly number[] | undefined;
  /** Value samples, s, with t = 4. Default [32, 128, 512]. */
  valueSamples?: readonly number[] | undefined;
  /** Queries of each run. Default 20. */
  queries?: number | undefined;
}

export interface ErrorLawFigures {
  /** s against ‖z/τ − O‖ / (‖softmax‖₂ ‖V‖_op), t = 4. */
  theorem: { valueSamples: number; error: Measured }[];
  /** t against |τ / Σ − 1|. */
  denominator: { clusterSamples: number; error: Measured }[];
}

/** Default: 10 seeds. Time about 5 s on two cores. Source: SubGen, arXiv 2402.06082, main theorem; the stream is ours. */
export async function reproduceErrorLaw(
  options: ErrorLawOptions = {},
): Promise<ProtocolReport<ErrorLawFigures>> {
  const { rows = 2000, clusters = 16, delta = 1, queryNorm = 2, queries = 20 } = options;
  const { clusterSamples = [1, 4, 16], valueSamples = [32, 128, 512], seeds = firstSeeds(10) } = options;
  const most = valueSamples[valueSamples.length - 1];
  const byValue = valueSamples.map((s) => ({ clusterSamples: 4, valueSamples: s, errors: [] as number[] }));
  const byCluster = clusterSamples.map((t) => ({
    clusterSamples: t,
    valueSamples: most,
    errors: [] as number[],
  }));
  for (const [i, seed] of seeds.entries()) {
    const { signal } = partOf(options, 'error law', i, seeds.length);
    const run = await prepare({ rows, clusters, queryNorm, queries, seed });
    for (const setting of byValue) setting.errors.push((await run({ ...setting, delta, seed })).theorem);
    signal?.throwIfAborted();
    for (const setting of byCluster)
      setting.errors.push((await run({ ...setting, delta, seed })).denominator);
  }
  const figures: ErrorLawFigures = {
    theorem: byValue.map(({ valueSamples: s, errors }) => ({ valueSamples: s, error: measure(errors) })),
    denominator: byCluster.map(({ clusterSamples: t, errors }) => ({
      clusterSamples: t,
      error: measure(errors),
    })),
  };
  return {
    id: 'S2',
    title: 'How the error falls with the samples',
    setting: { rows, dim: 32, clusters, delta, queryNorm, queries, clusterSamples, valueSamples, seeds },
    figures,
    verdicts: verdictsOf(figures),
  };
}

type Run = (setting: {
  clusterSamples: number;
  valueSamples: number;
  delta: number;
  seed: number;
}) => Promise<{ theorem: number; denominator: number }>;

/** A stream and its exact answers, for caches of several settings. */
async function prepare({
  rows,
  clusters,
  queryNorm,
  queries,
  seed,
}: Record<'rows' | 'clusters' | 'queryNorm' | 'queries' | 'seed', number>): Promise<Run> {
  const { keys, values } = plantedStream({ rows, clusters, seed });
  const dim = keys.cols;
  const rng = createRng(seed).fork('directions');
  const asked = Array.from({ length: queries }, () => {
    const direction = Float32Array.from({ length: dim }, () => rng.normal());
    const norm = Math.sqrt(direction.reduce((sum, x) => sum + x * x, 0));
    return direction.map((x) => (queryNorm * x) / norm);
  });
  const shape = { heads: 1, keyHeads: 1, dim, valueDim: dim, scale: 1, storage: 'float32' as const };
  const stream: TokenStream = { keys: keys.data, values: values.data, queries: keys.data };
  const exact = asked.map((query) => oracleAnswer(shape, stream, rows, 0, query));
  const valueNorm = await operatorNorm(values.data, rows, dim, await loadKernels());
  return async (setting) => {
    const cache = createCache(shape, { policy: 'subgen', ...settingOf(setting) });
    await cache.append(keys.data, values.data);
    const sums = { theorem: 0, denominator: 0 };
    for (const [i, query] of asked.entries()) {
      const { output, lse } = await cache.attend(query);
      const answer = exact[i];
      const error = Math.sqrt(output.reduce((sum, x, p) => sum + (x - answer.output[p]) ** 2, 0));
      sums.theorem += error / (answer.softmaxNorm * valueNorm) / queries;
      sums.denominator += Math.abs(Math.expm1(lse[0] - answer.lse)) / queries;
    }
    return sums;
  };
}

function settingOf({ clusterSamples, valueSamples, delta, seed }: Parameters<Run>[0]) {
  return { clusterSamples, valueSamples, delta, seed };
}

function verdictsOf({ theorem, denominator }: ErrorLawFigures) {
  const slope = logLogSlope(
    theorem.map(({ valueSamples }) => valueSamples),
    theorem.map(({ error }) => error.mean),
  );
  const ofClusters = logLogSlope(
    denominator.map(({ clusterSamples }) => clusterSamples),
    denominator.map(({ error }) => error.mean),
  );
  return [
    // −1/2 but for the draws; flatter where s has come down to what t leaves.
    judge('the error falls as 1/√s, down to what t leaves', slope, {
      low: -0.6,
      high: -0.3,
      unit: 'slope',
    }),
    judge('the error of the denominator falls as 1/√t', ofClusters, { low: -0.6, high: -0.4, unit: 'slope' }),
    judge(
      `with s = ${theorem[theorem.length - 1].valueSamples} the error is small`,
      theorem[theorem.length - 1].error.mean,
      {
        ...{ high: 0.2, unit: '‖softmax‖ ‖V‖' },
      },
    ),
  ];
}
