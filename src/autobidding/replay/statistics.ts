// From sums over auctions, on the log and on other draws, to changes with intervals.

import { budgetOf } from '../market/optimal-welfare.ts';
import type { Bidder, EquilibriumGap, Market } from '../types.ts';
import { type Change, changeOf } from './change.ts';
import { type SumColumns, sumColumns } from './group-sums.ts';
import type { AdvertiserChange, Replay } from './types.ts';
import { advertiserVerdict, simultaneousHalfWidths } from './winners.ts';

export interface StatisticsOptions {
  groups: number;
  confidence: number;
  bidders: readonly Bidder[] | undefined;
  /** Of both worlds; undefined where bids were recorded: what happened is no forecast that regret could upset. */
  gaps: readonly [EquilibriumGap | undefined, EquilibriumGap | undefined];
}

/** Figures of one draw of the auctions: a row of column sums read by name. */
class Draw {
  private readonly sums: Float64Array;
  private readonly columns: SumColumns;
  private readonly bidders: readonly Bidder[] | undefined;

  constructor(sums: Float64Array, columns: SumColumns, bidders: readonly Bidder[] | undefined) {
    this.sums = sums;
    this.columns = columns;
    this.bidders = bidders;
  }

  value(world: number, i: number): number {
    return this.sums[this.columns.value(world, i)];
  }

  spend(world: number, i: number): number {
    return this.sums[this.columns.spend(world, i)];
  }

  welfare(world: number): number {
    let sum = 0;
    for (let i = 0; i < this.columns.advertisers; i++) {
      sum += Math.min(this.value(world, i), budgetOf(this.bidders?.[i]));
    }
    return sum;
  }

  profit(world: number): number {
    let sum = 0;
    for (let i = 0; i < this.columns.advertisers; i++) sum += this.spend(world, i);
    return sum;
  }

  efficiency(world: number): number {
    const optimum = this.sums[this.columns.optimum];
    return optimum > 0 ? this.welfare(world) / optimum : 1;
  }

  /** What a bidder is after: value, or value − spend. */
  objective(world: number, i: number): number {
    const value = this.value(world, i);
    return this.bidders?.[i].kind === 'utility' ? value - this.spend(world, i) : value;
  }
}

/**
 * Changes of every figure, over draws of the auctions that both worlds share.
 *
 * @param sums - of the log itself, columns as in `sumColumns`, shape (width,)
 * @param resampled - the same on other draws, shape (resamples, width), row-major
 * @param groups - that were drawn from
 */
export function changesOf(
  market: Market,
  sums: Float64Array,
  resampled: Float64Array,
  { groups, confidence, bidders, gaps }: StatisticsOptions,
): Pick<Replay, 'welfare' | 'profit' | 'efficiency' | 'advertisers'> {
  const columns = sumColumns(market.advertisers, 2);
  const { width } = columns;
  const resamples = resampled.length / width;
  const here = new Draw(sums, columns, bidders);
  const draws = Array.from(
    { length: resamples },
    (_, r) => new Draw(resampled.subarray(r * width, (r + 1) * width), columns, bidders),
  );
  const change = (figure: (draw: Draw, world: number) => number, regret: number): Change =>
    changeOf(figure(here, 0), figure(here, 1), {
      beforeResampled: Float64Array.from(draws, (draw) => figure(draw, 0)),
      afterResampled: Float64Array.from(draws, (draw) => figure(draw, 1)),
      ...{ regret, groups, confidence },
    });
  // A difference counts only above the value-weighted regret of either side: bidders nearer to rest might undo a smaller one.
  const shares = gaps.map((gap) => gap?.meanRegretBound ?? 0);
  const regretOf = (figure: (draw: Draw, world: number) => number): number =>
    Math.max(shares[0] * Math.abs(figure(here, 0)), shares[1] * Math.abs(figure(here, 1)));
  const figureChange = (figure: (draw: Draw, world: number) => number): Change =>
    change(figure, regretOf(figure));
  return {
    welfare: figureChange((draw, world) => draw.welfare(world)),
    profit: figureChange((draw, world) => draw.profit(world)),
    efficiency: figureChange((draw, world) => draw.efficiency(world)),
    advertisers: advertiserChanges(market, here, draws, change, { groups, resamples, confidence, gaps }),
  };
}

function advertiserChanges(
  market: Market,
  here: Draw,
  draws: readonly Draw[],
  change: (figure: (draw: Draw, world: number) => number, regret: number) => Change,
  options: { groups: number; resamples: number; confidence: number; gaps: StatisticsOptions['gaps'] },
): AdvertiserChange[] {
  const { advertisers, advertiserOf, names, targets } = market;
  const gainOf = (draw: Draw, i: number): number => draw.objective(1, i) - draw.objective(0, i);
  const gains = Float64Array.from({ length: advertisers }, (_, i) => gainOf(here, i));
  const resampled = new Float64Array(draws.length * advertisers);
  draws.forEach((draw, r) => {
    for (let i = 0; i < advertisers; i++) resampled[r * advertisers + i] = gainOf(draw, i);
  });
  const halfWidths = simultaneousHalfWidths(gains, resampled, options);
  const participates = new Uint8Array(advertisers);
  for (const i of advertiserOf) participates[i] = 1;
  return Array.from(gains, (gain, i): AdvertiserChange => {
    const regret = Math.max(...options.gaps.map((gap) => moneyRegret(gap, i)));
    const roas = (world: number): number =>
      ((targets?.[i] ?? 1) * here.value(world, i)) / here.spend(world, i);
    return {
      advertiser: i,
      name: names?.[i] ?? String(i),
      value: change((draw, world) => draw.value(world, i), regret),
      spend: change((draw, world) => draw.spend(world, i), regret),
      roas: [roas(0), roas(1)],
      gain,
      gainHalfWidth: halfWidths[i],
      verdict: participates[i] === 1 ? advertiserVerdict(gain, halfWidths[i], regret) : 'no participant',
    };
  });
}

/** Objective that an advertiser could still gain by deviating: bestBound = own · (1 + regretBound). */
function moneyRegret(gap: EquilibriumGap | undefined, i: number): number {
  if (gap === undefined) return 0;
  const { bestBound, regretBound } = gap.advertisers[i];
  return regretBound === Infinity ? bestBound : bestBound - bestBound / (1 + regretBound);
}
