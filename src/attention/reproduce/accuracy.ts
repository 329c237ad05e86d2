// Protocol E1: error against cost where every query has few heavy keys; hashing against chance.

import { loadKernels } from '../../kernels/index.ts';
import {
  firstSeeds,
  judge,
  type Measured,
  measure,
  type ProtocolOptions,
  type ProtocolReport,
  partOf,
} from '../../reproduce/protocol.ts';
import { compareAttention } from '../compare.ts';
import { exactAttention } from '../exact.ts';
import { hyperAttention } from '../hyper.ts';
import { theoryAttention } from '../theory.ts';
import { plantedInput, randomBlockAttention } from './planted.ts';

export interface AccuracyOptions extends ProtocolOptions {
  /** Queries and keys. Default 4096. */
  rows?: number | undefined;
  /** Groups of keys; rows / groups are heavy for a query. Default rows / 8. */
  clusters?: number | undefined;
  /** Logits of the heavy keys. Default [10, 6]. */
  strengths?: readonly number[] | undefined;
  /** Keys of a block, and samples: b = m. Default [64, 128, 256]. */
  sizes?: readonly number[] | undefined;
}

/** As in the paper's experiments. */
const papers = { blocks: 'rank', hashBits: 7 } as const;

export type AccuracyMethod =
  | 'hash-aligned blocks'
  | "the paper's blocks"
  | 'random blocks'
  | 'samples only, as many keys'
  | "the theorem's estimator";

/** ‖Õ − O‖_F / ‖O‖_F of one method at one size. */
export interface AccuracyFigures {
  strength: number;
  method: AccuracyMethod;
  /** b = m; without blocks 2m keys are sampled, so that all meet as many keys; the theorem's numerator samples 2m columns. */
  size: number;
  error: Measured;
}

/** Default: 3 seeds. Time about 3 s on two cores. Source: arXiv 2310.05869, Algorithm 1; the input is ours. */
export async function reproduceAccuracy(
  options: AccuracyOptions = {},
): Promise<ProtocolReport<AccuracyFigures[]>> {
  const { rows = 4096, clusters = rows / 8, strengths = [10, 6], sizes = [64, 128, 256] } = options;
  const { seeds = firstSeeds(3) } = options;
  const kernels = await loadKernels();
  const figures: AccuracyFigures[] = [];
  for (const [s, strength] of strengths.entries()) {
    const errors = new Map<string, number[]>();
    for (const [i, seed] of seeds.entries()) {
      const run = partOf(options, 'accuracy', s * seeds.length + i, strengths.length * seeds.length);
      const input = plantedInput({ rows, clusters, strength, seed });
      const exact = await exactAttention(input, run);
      for (const size of sizes) {
        const common = { ...run, blockSize: size, sampleSize: size, minSequence: 1, certifyRows: 0, seed };
        const { value: aligned } = await hyperAttention(input, common);
        const { value: ranked } = await hyperAttention(input, { ...common, ...papers });
        const { value: sampled } = await hyperAttention(input, {
          ...common,
          ...{ blocks: 'none', sampleSize: 2 * size },
        });
        const { value: theory } = await theoryAttention(input, {
          ...{ blockSize: size, sampleSize: size, valueSamples: 2 * size, minSequence: 1, seed },
          ...{ ...papers, signal: run.signal },
        });
        const outcomes: Record<AccuracyMethod, number> = {
          'hash-aligned blocks': compareAttention(aligned, exact).relativeError,
          "the paper's blocks": compareAttention(ranked, exact).relativeError,
          'random blocks': compareAttention(await randomBlockAttention(input, common, kernels), exact)
            .relativeError,
          'samples only, as many keys': compareAttention(sampled, exact).relativeError,
          "the theorem's estimator": compareAttention(theory, exact).relativeError,
        };
        for (const [method, error] of Object.entries(outcomes)) {
          const key = `${method}/${size}`;
          errors.set(key, [...(errors.get(key) ?? []), error]);
        }
      }
    }
    for (const [key, values] of errors) {
      const [method, size] = key.split('/');
      const error = measure(values);
      figures.push({ strength, method: method as AccuracyMethod, size: Number(size), error });
    }
  }
  return {
    id: 'E1',
    title: 'Error where every query has few heavy keys',
    setting: { rows, dim: 64, clusters, strengths, noise: 0.1, sizes, seeds },
    figures,
    verdicts: strengths.flatMap((strength) => verdictsOf(figures, strength, sizes)),
  };
}

function verdictsOf(figures: readonly AccuracyFigures[], strength: number, sizes: readonly number[]) {
  const at = (method: AccuracyMethod, size: number) =>
    figures.find((row) => row.strength === strength && row.method === method && row.size === size)!.error
      .mean;
  const verdicts = [];
  const where = `β = ${strength}`;
  const steps = sizes.slice(1).map((size, i) => ({ size, before: sizes[i] }));
  for (const method of ['hash-aligned blocks', "the paper's blocks"] as const) {
    if (sizes.includes(128)) {
      const error = at(method, 128);
      const ratio = error / at('samples only, as many keys', 128);
      const limits = strength >= 10 ? { error: 0.33, ratio: 0.45 } : { error: 0.6, ratio: 0.75 };
      const random = error / at('random blocks', 128);
      const theory = error / at("the theorem's estimator", 128);
      verdicts.push(
        judge(`${where}, ${method}: error against the theorem's estimator`, theory, {
          high: 1,
          unit: 'ratio',
        }),
        judge(`${where}, ${method} at b = m = 128: error`, error, { high: limits.error, unit: 'relative' }),
        judge(`${where}, ${method}: error against samples only`, ratio, {
          high: limits.ratio,
          unit: 'ratio',
        }),
        judge(`${where}, ${method}: error against random blocks`, random, {
          high: limits.ratio,
          unit: 'ratio',
        }),
      );
    }
    const growth = steps.map(({ size, before }) => at(method, size) / at(method, before));
    if (growth.length > 0)
      verdicts.push(
        judge(`${where}, ${method}: error falls from size to size`, Math.max(...growth), {
          high: 0.95,
          unit: 'largest ratio',
        }),
      );
  }
  return verdicts;
}
