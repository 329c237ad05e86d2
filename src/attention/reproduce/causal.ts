// Protocol E4: the length n₀ below which causal attention is exact, its main knob.

import {
  firstSeeds,
  judge,
  type Measured,
  measure,
  type ProtocolOptions,
  type ProtocolReport,
  partOf,
} from '../../reproduce/protocol.ts';
import { raceSeconds } from '../../reproduce/timing.ts';
import { compareAttention } from '../compare.ts';
import { exactAttention } from '../exact.ts';
import { hyperAttention } from '../hyper.ts';
import { plantedInput } from './planted.ts';

export interface CausalOptions extends ProtocolOptions {
  /** Queries and keys, n. Default 16384. */
  rows?: number | undefined;
  /** Default [256, 512, 1024, 2048, 4096]. */
  leaves?: readonly number[] | undefined;
  /** b = m, below half of the shortest leaf. Default 64. */
  size?: number | undefined;
}

export interface CausalFigures {
  /** n₀. */
  leaf: number;
  /** Pairs computed, over n. */
  pairsPerRow: number;
  /** n₀/2 + (b + m)/2 · log₂(n / n₀): what the algorithm should compute, over n. */
  predictedPairsPerRow: number;
  seconds: Measured;
  /** Seconds by the fit over all n₀: so much a pair, and so much a level of halving for hashing, sorting and gathering. */
  fittedSeconds: number;
  /** ‖Õ − O‖_F / ‖O‖_F. */
  error: Measured;
}

/** Default: 3 seeds. Time about 10 s on two cores. Source: arXiv 2310.05869, Algorithm 4; the count of pairs is derived. */
export async function reproduceCausal(options: CausalOptions = {}): Promise<ProtocolReport<CausalFigures[]>> {
  const { rows = 16_384, leaves = [256, 512, 1024, 2048, 4096], size = 64 } = options;
  const { seeds = firstSeeds(3) } = options;
  const hashBits = 'auto' as const;
  const runs = leaves.map(() => ({ errors: [] as number[], seconds: [] as number[], pairs: 0 }));
  for (const [i, seed] of seeds.entries()) {
    const run = partOf(options, 'causal attention', i, seeds.length);
    const input = plantedInput({ rows, clusters: rows / 8, seed }, { causal: true });
    const exact = await exactAttention(input, run);
    const settings = { ...run, blockSize: size, sampleSize: size, certifyRows: 0, seed, hashBits };
    const calls = leaves.map((minSequence) => () => hyperAttention(input, { ...settings, minSequence }));
    for (const [l, call] of calls.entries()) {
      const { value } = await call();
      runs[l].errors.push(compareAttention(value, exact).relativeError);
      runs[l].pairs = value.trace.pairs;
    }
    const seconds = await raceSeconds(calls, 3);
    for (const [l, time] of seconds.entries()) runs[l].seconds.push(time);
  }
  const pairs = runs.map((run) => run.pairs / rows);
  const levels = leaves.map((leaf) => Math.ceil(Math.log2(rows / leaf)));
  const fitted = fitTwo(
    pairs,
    levels,
    runs.map(({ seconds }) => measure(seconds).mean),
  );
  const figures = leaves.map((leaf, l) => ({
    leaf,
    pairsPerRow: runs[l].pairs / rows,
    predictedPairsPerRow: leaf / 2 + size * Math.log2(rows / leaf),
    seconds: measure(runs[l].seconds),
    fittedSeconds: fitted[l],
    error: measure(runs[l].errors),
  }));
  return {
    id: 'E4',
    title: 'Causal attention: how long the exact leaves are',
    setting: { rows, dim: 64, size, hashBits, leaves, seeds },
    figures,
    verdicts: verdictsOf(figures),
  };
}

function verdictsOf(figures: readonly CausalFigures[]) {
  const steps = figures.slice(1).map(({ error }, i) => error.mean / figures[i].error.mean);
  const miscount = figures.map(({ pairsPerRow, predictedPairsPerRow }) =>
    Math.abs(pairsPerRow / predictedPairsPerRow - 1),
  );
  const misfit = figures.map(({ seconds, fittedSeconds }) => Math.abs(fittedSeconds / seconds.mean - 1));
  return [
    judge('error falls as n₀ rises', Math.max(...steps), { high: 1, unit: 'largest ratio of neighbours' }),
    // Samples that fall into a row's own block are left out: b / n_k of them, at most a quarter at the lowest level.
    judge('pairs are as derived', Math.max(...miscount), { high: 0.1, unit: 'largest relative difference' }),
    judge('time is so much a pair and so much a level', Math.max(...misfit), {
      high: 0.25,
      unit: 'largest relative difference',
    }),
  ];
}

/** Least squares of y on a and b without intercept: fitted values. Needs a and b not proportional. */
function fitTwo(a: readonly number[], b: readonly number[], y: readonly number[]): number[] {
  const dot = (u: readonly number[], v: readonly number[]) => u.reduce((sum, x, i) => sum + x * v[i], 0);
  const determinant = dot(a, a) * dot(b, b) - dot(a, b) ** 2;
  const ofA = (dot(b, b) * dot(a, y) - dot(a, b) * dot(b, y)) / determinant;
  const ofB = (dot(a, a) * dot(b, y) - dot(a, b) * dot(a, y)) / determinant;
  return a.map((x, i) => ofA * x + ofB * b[i]);
}
