// A figure before and after, and whether the difference is more than chance and regret can explain.

import type { Interval } from '../../core/statistics/index.ts';
import { bootstrapInterval } from './bootstrap.ts';

/**
 * What the difference is worth. `separated`: beyond both. `within interval`: another sample of auctions might turn its sign.
 * `within regret`: bidders that respond better still might.
 */
export type ChangeVerdict = 'separated' | 'within interval' | 'within regret';

/** A figure in two worlds. */
export interface Change {
  readonly before: number;
  readonly after: number;
  /** after − before. */
  readonly difference: number;
  /** Of `difference`, over the auctions drawn. */
  readonly interval: Interval;
  /** difference ÷ before; NaN where `before` is 0. */
  readonly relative: number;
  /** What bidders could still gain by deviating, in the unit of the figure: the larger of both worlds. */
  readonly regret: number;
  readonly verdict: ChangeVerdict;
}

export interface ChangeOptions {
  /** Values on resamples, paired, shape (resamples,). */
  beforeResampled: Float64Array;
  afterResampled: Float64Array;
  regret: number;
  groups: number;
  confidence: number;
}

/** The change of a figure, from both worlds' values on the same resamples. */
export function changeOf(
  before: number,
  after: number,
  { beforeResampled, afterResampled, regret, groups, confidence }: ChangeOptions,
): Change {
  const difference = after - before;
  const differences = afterResampled.map((value, r) => value - beforeResampled[r]);
  const interval = bootstrapInterval(difference, differences, { groups, confidence });
  return {
    ...{ before, after, difference, interval, regret },
    relative: before === 0 ? Number.NaN : difference / before,
    verdict: verdictOf(difference, interval, regret),
  };
}

/** Both ends of the interval on one side of 0, and further from it than regret reaches. */
export function verdictOf(difference: number, { low, high }: Interval, regret: number): ChangeVerdict {
  if (!(low > 0 || high < 0)) return 'within interval';
  return Math.abs(difference) > regret ? 'separated' : 'within regret';
}
