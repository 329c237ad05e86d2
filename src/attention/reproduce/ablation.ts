// Protocol E2: which part of HyperAttention does what, and when the blocks do not pay.

import { type Kernels, loadKernels } from '../../kernels/index.ts';
import {
  firstSeeds,
  judge,
  type Measured,
  measure,
  type ProtocolOptions,
  type ProtocolReport,
  partOf,
} from '../../reproduce/protocol.ts';
import { exactAttention } from '../exact.ts';
import { hyperAttention } from '../hyper.ts';
import { operatorNorm } from '../operator-norm.ts';
import { oracleProbabilities } from '../oracle.ts';
import type { AttentionInput, AttentionResult } from '../types.ts';
import { plantedInput, randomBlockAttention } from './planted.ts';

export interface AblationOptions extends ProtocolOptions {
  /** Queries and keys. Default 2048. */
  rows?: number | undefined;
  /** Groups of keys. Default 32. */
  clusters?: number | undefined;
  /** b = m; samples alone are 2b. Default 128. */
  size?: number | undefined;
  /** Logits of the heavy keys: concentrated and nearly uniform. Default [8, 0.5]. */
  strengths?: readonly [concentrated: number, flat: number] | undefined;
}

export type AblationPart = 'hash and samples' | 'random blocks and samples' | 'blocks only' | 'samples only';

/** ε = ‖Õ − O‖_op / (‖P‖_op ‖V‖_op), the error that the theorem bounds. */
export interface AblationFigures {
  strength: number;
  error: Record<AblationPart, Measured>;
}

/** Default: 3 seeds. Time about 15 s on two cores. Source: arXiv 2310.05869, main theorem for ε; the input is ours. */
export async function reproduceAblation(
  options: AblationOptions = {},
): Promise<ProtocolReport<AblationFigures[]>> {
  const { rows = 2048, clusters = 32, size = 128, strengths = [8, 0.5], seeds = firstSeeds(3) } = options;
  const kernels = await loadKernels();
  const figures: AblationFigures[] = [];
  for (const [s, strength] of strengths.entries()) {
    const runs: Record<AblationPart, number>[] = [];
    for (const [i, seed] of seeds.entries()) {
      const run = partOf(options, 'ablation', s * seeds.length + i, strengths.length * seeds.length);
      const input = plantedInput({ rows, clusters, strength, seed });
      const exact = await exactAttention(input, run);
      const errorOf = await operatorErrors(input, exact, kernels);
      // The paper's own blocks and bits, since this is about its parts.
      const common = {
        ...run,
        blockSize: size,
        sampleSize: size,
        minSequence: 1,
        certifyRows: 0,
        hashBits: 7,
        seed,
      };
      const ranked = { ...common, blocks: 'rank' as const };
      const sampled = { ...common, blocks: 'none' as const, sampleSize: 2 * size };
      runs.push({
        'hash and samples': await errorOf((await hyperAttention(input, ranked)).value),
        'random blocks and samples': await errorOf(await randomBlockAttention(input, common, kernels)),
        'blocks only': await errorOf((await hyperAttention(input, { ...ranked, sampleSize: 0 })).value),
        'samples only': await errorOf((await hyperAttention(input, sampled)).value),
      });
    }
    const parts = Object.keys(runs[0]) as AblationPart[];
    const error = Object.fromEntries(parts.map((part) => [part, measure(runs.map((run) => run[part]))]));
    figures.push({ strength, error: error as Record<AblationPart, Measured> });
  }
  return {
    id: 'E2',
    title: 'What blocks and samples are each worth',
    setting: { rows, dim: 64, clusters, strengths, noise: 0.1, size, seeds },
    figures,
    verdicts: verdictsOf(figures),
  };
}

/** The error of a result in the theorem's norm; ‖P‖ and ‖V‖ are computed once. */
async function operatorErrors(
  input: AttentionInput,
  exact: AttentionResult,
  kernels: Kernels,
): Promise<(result: AttentionResult) => Promise<number>> {
  const { queries, keys, values } = input;
  const probabilities = new Float32Array(queries.rows * keys.rows);
  for (let i = 0; i < queries.rows; i++)
    probabilities.set(oracleProbabilities(input, 0, 0, i).values, i * keys.rows);
  const size =
    (await operatorNorm(probabilities, queries.rows, keys.rows, kernels)) *
    (await operatorNorm(values.data as Float32Array, values.rows, values.cols, kernels));
  return async ({ output: { data, rows, cols } }) => {
    const error = data.map((value, i) => value - exact.output.data[i]);
    return (await operatorNorm(error, rows, cols, kernels)) / size;
  };
}

function verdictsOf([concentrated, flat]: AblationFigures[]) {
  const ratio = ({ error }: AblationFigures, a: AblationPart, b: AblationPart) =>
    error[a].mean / error[b].mean;
  const unit = 'ratio of errors';
  return [
    judge(
      'concentrated: hash and samples beat samples only',
      ratio(concentrated, 'hash and samples', 'samples only'),
      { high: 0.9, unit },
    ),
    judge(
      'concentrated: hash and samples beat random blocks',
      ratio(concentrated, 'hash and samples', 'random blocks and samples'),
      { high: 0.7, unit },
    ),
    judge(
      'concentrated: random blocks are worse than samples only',
      ratio(concentrated, 'random blocks and samples', 'samples only'),
      { low: 1.15, unit },
    ),
    judge(
      'concentrated: blocks without samples are worse than samples without blocks',
      ratio(concentrated, 'blocks only', 'samples only'),
      { low: 1.2, unit },
    ),
    judge('flat: samples only beat hash and samples', ratio(flat, 'samples only', 'hash and samples'), {
      high: 0.9,
      unit,
    }),
    judge(
      'flat: hashing does no better than random blocks',
      ratio(flat, 'hash and samples', 'random blocks and samples'),
      { low: 0.75, unit },
    ),
    judge('flat: blocks without samples are far worse', ratio(flat, 'blocks only', 'hash and samples'), {
      low: 1.8,
      unit,
    }),
  ];
}
