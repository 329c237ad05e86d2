// Two columns of a sweep against each other, seed by seed, and whether the difference means anything.

import type { Interval } from '../../core/statistics/index.ts';
import { bootstrapInterval, resampleSums } from '../replay/bootstrap.ts';
import type { AuctionFormat } from '../types.ts';
import type { SweepCell } from './cell.ts';

export type SweepMeasure = 'welfare' | 'profit';

/** A format at a level: one column of cells, one for each seed. */
export interface SweepColumn {
  readonly format: AuctionFormat;
  readonly level: number;
}

/** a − b, paired by seed: same market, same buckets. Shares of the optimum. */
export interface SweepComparison {
  readonly measure: SweepMeasure;
  readonly a: SweepColumn;
  readonly b: SweepColumn;
  /** Mean of the differences over seeds. */
  readonly difference: number;
  /** Bootstrap interval of the mean over seeds. */
  readonly interval: Interval;
  /** Seeds where a is above b, and where it is below. */
  readonly above: number;
  readonly below: number;
  /** The larger of the two columns' mean certified value-weighted regrets. */
  readonly regret: number;
  /**
   * The interval excludes 0 and |difference| exceeds `regret`. Otherwise the profiles are not near enough to equilibria, or the seeds too few,
   * to say which is ahead.
   */
  readonly separated: boolean;
}

export interface CompareOptions {
  /** Of the intervals, in (0, 1). */
  confidence: number;
  /** Draws of the bootstrap. */
  resamples: number;
  seed: number;
}

/** Compares two columns of cells. @param cells - of the sweep, in any order; both columns have the same seeds */
export async function compareColumns(
  cells: readonly SweepCell[],
  measure: SweepMeasure,
  a: SweepColumn,
  b: SweepColumn,
  { confidence, resamples, seed }: CompareOptions,
): Promise<SweepComparison> {
  const [left, right] = [columnOf(cells, a), columnOf(cells, b)];
  const data = Float64Array.from(left, (cell, s) => cell[measure] - right[s][measure]);
  const { difference, interval } = await pairedDifference(data, { confidence, resamples, seed });
  const regret = Math.max(...[left, right].map((cells) => mean(cells.map((cell) => cell.meanRegretBound))));
  return {
    measure,
    a,
    b,
    difference,
    interval,
    above: data.filter((x) => x > 0).length,
    below: data.filter((x) => x < 0).length,
    regret,
    separated: (interval.low > 0 || interval.high < 0) && Math.abs(difference) > regret,
  };
}

/** Mean of paired differences, shape (seeds,), and its bootstrap interval over seeds. */
export async function pairedDifference(
  data: Float64Array,
  { confidence, resamples, seed }: CompareOptions,
): Promise<{ difference: number; interval: Interval }> {
  const groups = data.length;
  const difference = mean(data);
  const sums = await resampleSums({ groups, width: 1, data }, { resamples, seed });
  const means = sums.map((sum) => sum / groups);
  return { difference, interval: bootstrapInterval(difference, means, { groups, confidence }) };
}

/** All formats against each other at each level, and each format's first level against its others, in welfare and in profit. */
export async function compareAll(
  cells: readonly SweepCell[],
  formats: readonly AuctionFormat[],
  levels: readonly number[],
  options: CompareOptions,
): Promise<SweepComparison[]> {
  const comparisons: SweepComparison[] = [];
  for (const measure of ['welfare', 'profit'] as const) {
    for (const level of levels) {
      for (const [at, format] of formats.entries()) {
        for (const other of formats.slice(at + 1)) {
          comparisons.push(
            await compareColumns(cells, measure, { format, level }, { format: other, level }, options),
          );
        }
      }
    }
    for (const format of formats) {
      for (const level of levels.slice(1)) {
        comparisons.push(
          await compareColumns(cells, measure, { format, level: levels[0] }, { format, level }, options),
        );
      }
    }
  }
  return comparisons;
}

function columnOf(cells: readonly SweepCell[], { format, level }: SweepColumn): SweepCell[] {
  return cells
    .filter((cell) => cell.format === format && cell.level === level)
    .sort((x, y) => x.seed - y.seed);
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let s = 0; s < values.length; s++) sum += values[s];
  return sum / values.length;
}
