// Protocol R1: reserves and boosts between welfare and profit, bidders adapted to them, over several markets.

import { judge, type ProtocolOptions, type ProtocolReport, partOf } from '../../reproduce/protocol.ts';
import { type FrontierCurve, frontier } from '../frontier/frontier.ts';
import type { FrontierPolicy } from '../frontier/policies.ts';
import { provablyGenerator } from '../generators/provably-generator.ts';
import { uniformBuckets } from '../market/uniform-buckets.ts';
import type { AuctionFormat } from '../types.ts';
import { judgeGain, type MarketFigures, type PairedGain, pairedGain } from './paired-gain.ts';

export interface PoliciesOptions extends ProtocolOptions {
  /** Auctions of each market. Default 500. */
  auctions?: number | undefined;
}

/** One policy at one level against none, in one format. */
export interface PolicyRow {
  format: AuctionFormat;
  policy: FrontierPolicy;
  level: number;
  /** Means over markets, shares of W*. */
  welfare: number;
  profit: number;
  welfareGain: PairedGain;
  profitGain: PairedGain;
  /** Least over markets of welfare less the guaranteed share: below 0 nowhere, or the bound is wrong. */
  aboveGuarantee: number;
}

const CURVES: readonly FrontierCurve[] = [
  { policy: 'additive-boost', levels: [0, 0.5, 2] },
  { policy: 'relative-reserve', levels: [0, 0.5, 1] },
];
const FORMATS = ['gsp', 'vcg'] as const;

/** Markets of the Provably generator, one multiplier an advertiser. Default seeds 200 … 209. */
export async function reproducePolicies(
  options: PoliciesOptions = {},
): Promise<ProtocolReport<{ rows: PolicyRow[] }>> {
  const { auctions = 500, seeds = Array.from({ length: 10 }, (_, s) => 200 + s) } = options;
  const rows: PolicyRow[] = [];
  for (const [f, format] of FORMATS.entries()) {
    const markets: Awaited<ReturnType<typeof frontier>>[] = [];
    for (const [s, seed] of seeds.entries()) {
      const part = partOf(options, 'reserves and boosts', f * seeds.length + s, 2 * seeds.length);
      const { market } = provablyGenerator({ auctions, seed });
      const setting = { market, buckets: uniformBuckets(market), rules: { format } };
      markets.push(await frontier(setting, { curves: CURVES, signal: part.signal }));
    }
    rows.push(...(await rowsOf(format, markets, seeds[0])));
  }
  return {
    id: 'R1',
    title: 'Reserves and boosts: welfare against profit',
    setting: { generator: 'provably', formats: FORMATS, auctions, seeds },
    figures: { rows },
    verdicts: verdictsOf(rows),
  };
}

async function rowsOf(
  format: AuctionFormat,
  markets: readonly Awaited<ReturnType<typeof frontier>>[],
  seed: number,
): Promise<PolicyRow[]> {
  const column = (at: number, of: 'welfareShare' | 'profitShare'): MarketFigures => ({
    values: markets.map((points) => points[at][of]),
    regrets: markets.map((points) => points[at].equilibrium.value.gap.meanRegretBound),
  });
  const mean = ({ values }: MarketFigures) => values.reduce((sum, x) => sum + x, 0) / values.length;
  const rows: PolicyRow[] = [];
  for (const [at, { policy, level }] of markets[0].entries()) {
    const base = markets[0].findIndex((point) => point.policy === policy && point.level === 0);
    const [welfare, profit] = [column(at, 'welfareShare'), column(at, 'profitShare')];
    rows.push({
      ...{ format, policy, level, welfare: mean(welfare), profit: mean(profit) },
      welfareGain: await pairedGain(welfare, column(base, 'welfareShare'), seed),
      profitGain: await pairedGain(profit, column(base, 'profitShare'), seed),
      aboveGuarantee: Math.min(
        ...markets.map((points) => points[at].welfareShare - points[at].guarantee.share),
      ),
    });
  }
  return rows;
}

function verdictsOf(rows: readonly PolicyRow[]) {
  const strongest = (format: AuctionFormat, policy: FrontierPolicy) =>
    rows.findLast((row) => row.format === format && row.policy === policy)!;
  return [
    judge('no outcome is below its guaranteed welfare', Math.min(...rows.map((r) => r.aboveGuarantee)), {
      ...{ low: -1e-9, unit: 'of W*, least' },
    }),
    ...FORMATS.flatMap((format) => {
      const [boost, reserve] = [strongest(format, 'additive-boost'), strongest(format, 'relative-reserve')];
      const name = format.toUpperCase();
      return [
        judgeGain(`${name}: additive boosts of ${boost.level} raise welfare`, boost.welfareGain, 1),
        judgeGain(`${name}: additive boosts of ${boost.level} raise profit`, boost.profitGain, 1),
        judgeGain(`${name}: reserves at the mean value lower welfare`, reserve.welfareGain, -1),
      ];
    }),
  ];
}
