// Protocol E6: the quantities that the theorem is about, on inputs of several kinds.

import { type LabelledDataset, loadFashionMnist } from '../../data/datasets/index.ts';
import {
  firstSeeds,
  judge,
  logLogSlope,
  type ProtocolOptions,
  type ProtocolReport,
  partOf,
} from '../../reproduce/protocol.ts';
import { type HeadReport, headReport } from '../head-report.ts';
import { oracleProbabilities } from '../oracle.ts';
import type { AttentionInput } from '../types.ts';
import { patchAttention, pictureSheet, withNoise } from './patches.ts';
import { gaussianInput, plantedInput } from './planted.ts';

export interface ParameterOptions extends ProtocolOptions {
  /** Lengths of the Gaussian input, ascending. Default [512, 1024, 2048]. */
  gaussianRows?: readonly number[] | undefined;
  /** Length of the planted inputs. Default 4096. */
  plantedRows?: number | undefined;
  /** Default: Fashion-MNIST. */
  dataset?: LabelledDataset | undefined;
  /** Rows of each input that are looked at; of Gaussian input all. Default 512. */
  sampledRows?: number | undefined;
}

export interface ParameterFigures extends HeadReport {
  input: 'Gaussian' | 'few heavy keys' | 'nearly uniform' | 'noisy picture';
  /** Queries and keys. */
  length: number;
  /** As α, of the mean column instead of the largest: Σ_ij p_ij². */
  meanColumn: number;
}

/** The first seed only, b = m = 128. Time about 10 s on two cores. Source: arXiv 2310.05869, main theorem: α and κ small, srank of values. */
export async function reproduceParameters(
  options: ParameterOptions = {},
): Promise<ProtocolReport<ParameterFigures[]>> {
  const { gaussianRows = [512, 1024, 2048], plantedRows = 4096, sampledRows = 512 } = options;
  const [seed] = options.seeds ?? firstSeeds(1);
  const dataset = options.dataset ?? (await loadFashionMnist(partOf(options, 'pictures', 0, 1)));
  const picture = withNoise(pictureSheet(dataset, 3), 0.15, seed);
  const planted = { rows: plantedRows, seed };
  const cases: { name: ParameterFigures['input']; input: AttentionInput; rows: number }[] = [
    ...gaussianRows.map((rows) => ({
      name: 'Gaussian' as const,
      input: gaussianInput(rows, 64, seed),
      rows,
    })),
    {
      name: 'few heavy keys',
      input: plantedInput({ ...planted, clusters: Math.ceil(plantedRows / 8) }),
      rows: sampledRows,
    },
    {
      name: 'nearly uniform',
      input: plantedInput({ ...planted, clusters: 32, strength: 0.5 }),
      rows: sampledRows,
    },
    { name: 'noisy picture', input: patchAttention(picture, 2, 12).input, rows: sampledRows },
  ];
  const figures: ParameterFigures[] = [];
  for (const [i, { name, input, rows }] of cases.entries()) {
    const run = partOf(options, name, i, cases.length);
    const settings = { blockSize: 128, sampleSize: 128, minSequence: 1, hashBits: 'auto' as const };
    const [report] = await headReport(input, { ...settings, rows, seed, ...run });
    figures.push({ input: name, length: input.keys.rows, meanColumn: meanColumn(input, rows), ...report });
  }
  return {
    id: 'E6',
    title: 'The quantities of the theorem, measured',
    setting: { gaussianRows, plantedRows, sampledRows, dim: 64, picture: dataset.name, size: 128, seed },
    figures,
    verdicts: verdictsOf(figures),
  };
}

/** n_q · mean over evenly spread rows of Σ_j p_ij². */
function meanColumn(input: AttentionInput, rows: number): number {
  const { rows: all } = input.queries;
  const count = Math.min(rows, all, 256);
  let sum = 0;
  for (let i = 0; i < count; i++)
    for (const p of oracleProbabilities(input, 0, 0, Math.floor((i * all) / count)).values) sum += p * p;
  return (all * sum) / count;
}

function verdictsOf(figures: readonly ParameterFigures[]) {
  const of = (name: ParameterFigures['input']) => figures.filter(({ input }) => input === name);
  const gaussian = of('Gaussian');
  const longest = gaussian[gaussian.length - 1];
  const [heavy, uniform] = [of('few heavy keys')[0], of('nearly uniform')[0]];
  const slope = logLogSlope(
    gaussian.map(({ length }) => length),
    gaussian.map(({ alpha }) => alpha),
  );
  return [
    // Logits are N(0, 1): Σ p² → E[e^{2s}] / E[e^s]² = e.
    judge('Gaussian: the mean column is e', longest.meanColumn, {
      low: 2.4,
      high: 3.1,
      unit: 'times uniform',
    }),
    judge('Gaussian: the largest column, α, is small', longest.alpha, {
      low: 5,
      high: 60,
      unit: 'times uniform',
    }),
    judge('Gaussian: α grows slower than n', slope, { high: 0.9, unit: 'slope' }),
    judge('few heavy keys: α is large, so the theorem is silent', heavy.alpha / heavy.length, {
      low: 0.03,
      unit: 'α / n',
    }),
    judge('few heavy keys: the blocks hold most of the mass all the same', heavy.recall, {
      low: 0.5,
      unit: 'share of the mass',
    }),
    judge('nearly uniform: the blocks hold no more than their share', uniform.recall, {
      high: (3 * 128) / uniform.length,
      unit: 'share of the mass',
    }),
  ];
}
