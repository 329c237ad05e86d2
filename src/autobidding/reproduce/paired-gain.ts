// A figure against a baseline, paired by market: what protocols beyond the sweep compare by.

import type { Interval } from '../../core/statistics/index.ts';
import { judge, type Verdict } from '../../reproduce/protocol.ts';
import { pairedDifference } from '../sweep/compare.ts';

/** Mean over markets of figure − baseline, as shares of the optimum. */
export interface PairedGain {
  difference: number;
  /** 95 %, by bootstrap over markets. */
  interval: Interval;
  /** Mean certified value-weighted regret, the larger of both sides. */
  regret: number;
  /** The interval excludes 0, and the difference exceeds the regret. */
  separated: boolean;
}

/** A figure of each market, in one order, and the certified regret of the bidders behind it. */
export interface MarketFigures {
  values: readonly number[];
  regrets: readonly number[];
}

/** @param seed - of the bootstrap */
export async function pairedGain(
  figures: MarketFigures,
  baseline: MarketFigures,
  seed: number,
): Promise<PairedGain> {
  const differences = Float64Array.from(figures.values, (value, s) => value - baseline.values[s]);
  const paired = await pairedDifference(differences, { confidence: 0.95, resamples: 2000, seed });
  const { difference, interval } = paired;
  const regret = Math.max(...[figures, baseline].map(({ regrets }) => mean(regrets)));
  const separated = (interval.low > 0 || interval.high < 0) && Math.abs(difference) > regret;
  return { difference, interval, regret, separated };
}

/** Passes where the gain is above 0 (`sign` 1) or below (−1), and separated. */
export function judgeGain(
  claim: string,
  { difference, interval, regret }: PairedGain,
  sign: 1 | -1,
): Verdict {
  const end = sign > 0 ? interval.low : -interval.high;
  return judge(claim, Math.min(end, sign * difference - regret), {
    ...{ low: 0, unit: 'of W*, less interval and regret' },
  });
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
}
