// Whether the time of an answer tells about labels: paired latencies of two aggregators that differ in their labels only.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Aggregator, openAggregator } from '../src/aggregate/aggregator/index.ts';
import type { SampleId } from '../src/aggregate/index.ts';
import { createRng, sampleIndices } from '../src/core/rng.ts';
import { summarize } from '../src/core/statistics/index.ts';

/** Mean difference of paired latencies in units of its standard error, and in microseconds. */
export interface TimingReport {
  pairs: number;
  /** All labels at the upper against all at the lower bound, same ids, same bags. */
  labels: { t: number; microseconds: number };
  /** Large against small bags: what the measurement must see, or it sees nothing. */
  control: { t: number; microseconds: number };
}

const SAMPLES = 400_000;
/** Milliseconds. */
const CADENCE = 1;
const SMALL = 20;
const LARGE = 20_000;

/**
 * Asks two aggregators the same bag, in random order, and compares. Sequential queries on an idle machine: the observer who sees most.
 * A tenth of the differences is cut off at either end: pauses of the machine.
 */
export async function compareTimings(pairs: number, seed: number): Promise<TimingReport> {
  const folder = mkdtempSync(join(tmpdir(), 'provably-timing-'));
  const ids = Array.from({ length: SAMPLES }, (_, i) => i);
  const open = (name: string, label: number) =>
    openAggregator({
      labels: { ids, labels: new Float64Array(SAMPLES).fill(label) },
      ...{ ledger: join(folder, name), minBag: SMALL, budget: 1000, epsilonPerRelease: 1 },
      ...{ bounds: [0, 1], cadence: CADENCE },
    });
  const [zeros, ones] = [await open('zeros', 0), await open('ones', 1)];
  const rng = createRng(seed);
  let stage = 0;
  const bag = (size: number): SampleId[] => [...sampleIndices(SAMPLES, size, rng)];
  const time = async (aggregator: Aggregator, ids: SampleId[]): Promise<number> => {
    // At any moment between two beats, alike: the last answer came on a beat of the other aggregator.
    const asked = performance.now() + rng.next() * CADENCE;
    while (performance.now() < asked);
    const start = performance.now();
    await aggregator.query('timing', { stage: `s${stage}`, bags: [ids] });
    return 1000 * (performance.now() - start);
  };
  /** Second minus first, asked in random order. */
  const difference = async (first: () => Promise<number>, second: () => Promise<number>): Promise<number> => {
    stage++;
    if (rng.integer(2) === 0) return -(await first()) + (await second());
    const later = await second();
    return later - (await first());
  };
  try {
    const labels: number[] = [];
    const control: number[] = [];
    for (let i = 0; i < pairs; i++) {
      const small = bag(SMALL);
      labels.push(
        await difference(
          () => time(zeros, small),
          () => time(ones, small),
        ),
      );
      if (i % 10 > 0) continue;
      const large = bag(LARGE);
      control.push(
        await difference(
          () => time(zeros, small),
          () => time(ones, large),
        ),
      );
    }
    return { pairs, labels: pairedT(labels), control: pairedT(control) };
  } finally {
    await zeros.close();
    await ones.close();
    rmSync(folder, { recursive: true });
  }
}

/** Tukey's trimmed mean with the standard error of Tukey and McLaughlin: that of the values with their tails drawn in, over the share kept. */
function pairedT(differences: number[]): { t: number; microseconds: number } {
  const sorted = differences.toSorted((a, b) => a - b);
  const cut = Math.floor(sorted.length / 10);
  const kept = sorted.slice(cut, sorted.length - cut);
  const drawnIn = sorted.map((x) => Math.min(Math.max(x, kept[0]), kept[kept.length - 1]));
  const error = Math.sqrt(summarize(drawnIn).variance * sorted.length) / kept.length;
  const { mean } = summarize(kept);
  return { t: mean / error, microseconds: mean };
}
