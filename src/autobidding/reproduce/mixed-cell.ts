// One cell of the order of formats: a market drawn, and a mixed equilibrium of it. What workers run.

import { topicBuckets } from '../market/buckets.ts';
import { findMixedEquilibrium } from '../mixed/index.ts';
import { drawMarket, type SweepCell, type SweepGenerator } from '../sweep/cell.ts';
import type { AuctionFormat } from '../types.ts';

/** Value-weighted regret up to which a mixed profile counts as found. */
export const REGRET_WANTED = 0.003;

/** Spend of at least this share of the value: the target binds. */
const BINDING = 0.999;

/** Everything a cell depends on. */
export interface MixedCellTask {
  readonly generator: SweepGenerator;
  readonly seed: number;
  readonly format: AuctionFormat;
  readonly level: number;
  /** Multiplier that everybody starts from. */
  readonly start: number;
}

/** Runs one cell; the same bits wherever it runs. */
export async function runMixedCell(task: MixedCellTask, signal?: AbortSignal): Promise<SweepCell> {
  const { generator, seed, format, level, start } = task;
  const generated = drawMarket(generator, seed);
  const { market } = generated;
  const setting = { market, buckets: topicBuckets(generated, level), rules: { format } };
  const options = { start: new Float64Array(market.advertisers * level).fill(start), signal };
  const { outcome, gap } = (await findMixedEquilibrium(setting, options)).value;
  const totals = { welfare: outcome.welfare / outcome.optimum, profit: outcome.profit / outcome.optimum };
  return {
    ...{ seed, format, level, ...totals },
    meanRegret: gap.meanRegret,
    maxRegret: gap.maxRegret,
    meanRegretBound: gap.meanRegretBound,
    maxRegretBound: gap.maxRegretBound,
    maxOverspend: gap.maxOverspend,
    strategies: 'mixed',
    converged: gap.meanRegretBound <= REGRET_WANTED,
    bindingShare:
      gap.advertisers.filter(({ value, spend }) => spend >= BINDING * value).length / market.advertisers,
    lastQuarter: totals,
  };
}
