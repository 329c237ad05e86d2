// Protocol N1: what better predictions of values do to welfare and revenue, bidders adapted to what they believe.

import { type ProtocolOptions, type ProtocolReport, partOf } from '../../reproduce/protocol.ts';
import { gammaTopicGenerator } from '../generators/gamma-topic-generator.ts';
import { provablyGenerator } from '../generators/provably-generator.ts';
import { uniformBuckets } from '../market/uniform-buckets.ts';
import { type PredictionPoint, predictionStudy } from '../noise/prediction-study.ts';
import type { Bidder, Market, Setting } from '../types.ts';
import { judgeGain, type MarketFigures, type PairedGain, pairedGain } from './paired-gain.ts';

export interface PredictionsOptions extends ProtocolOptions {
  /** Auctions of each market. Default 500. */
  auctions?: number | undefined;
}

/** Markets of one kind at one spread of errors; gains of knowing exactly (σ = 0) against it. */
export interface PredictionRow {
  market: string;
  sigma: number;
  /** Means over markets, shares of W*. */
  welfare: number;
  profit: number;
  /** Mean of Σ max(0, P − V) ÷ Σ V, in true values. */
  missed: number;
  welfareGain: PairedGain;
  profitGain: PairedGain;
}

const SIGMAS = [0, 0.25, 0.5, 1];

interface Kind {
  name: string;
  setting: (auctions: number, seed: number) => Setting;
  /** What exact predictions should do to revenue. */
  revenue: 1 | -1;
}

const KINDS: readonly Kind[] = [
  ...(['fpa', 'gsp', 'vcg'] as const).map(
    (format): Kind => ({
      name: `${format.toUpperCase()}, targets`,
      setting: (auctions, seed) => settingOf(provablyGenerator({ auctions, seed }).market, format),
      revenue: 1,
    }),
  ),
  {
    name: 'VCG, two utility bidders an auction',
    // Queries of one quality: what a bidder's own signal says of its value is all there is to know.
    setting: (auctions, seed) => {
      const alike = { topics: 1, topicSpread: 0.3, queryShape: 1e4, queryScale: 1e-4 };
      const thin = { ...alike, participants: 2, discounts: [1] };
      const { market } = gammaTopicGenerator({ ...thin, auctions, seed });
      return settingOf(market, 'vcg', Array(market.advertisers).fill({ kind: 'utility' }));
    },
    revenue: -1,
  },
];

/** Calibrated predictions of spread σ = 0, ¼, ½, 1 of ln v. Default seeds 200 … 209. */
export async function reproducePredictions(
  options: PredictionsOptions = {},
): Promise<ProtocolReport<{ rows: PredictionRow[] }>> {
  const { auctions = 500, seeds = Array.from({ length: 10 }, (_, s) => 200 + s) } = options;
  const rows: PredictionRow[] = [];
  for (const [k, { name, setting }] of KINDS.entries()) {
    const markets: PredictionPoint[][] = [];
    for (const [s, seed] of seeds.entries()) {
      const part = partOf(options, 'predictions', k * seeds.length + s, KINDS.length * seeds.length);
      markets.push(
        await predictionStudy(setting(auctions, seed), { sigmas: SIGMAS, seed, signal: part.signal }),
      );
    }
    rows.push(...(await rowsOf(name, markets, seeds[0])));
  }
  return {
    id: 'N1',
    title: 'Predictions: does knowing more pay?',
    setting: { markets: KINDS.map(({ name }) => name), sigmas: SIGMAS, auctions, seeds },
    figures: { rows },
    verdicts: KINDS.flatMap(({ name, revenue }) => {
      const worst = rows.findLast(({ market }) => market === name)!;
      const change = revenue > 0 ? 'raise' : 'lower';
      return [
        judgeGain(`${name}: exact predictions instead of σ = 1 raise welfare`, worst.welfareGain, 1),
        judgeGain(`${name}: exact predictions instead of σ = 1 ${change} revenue`, worst.profitGain, revenue),
      ];
    }),
  };
}

function settingOf(market: Market, format: Setting['rules']['format'], bidders?: readonly Bidder[]): Setting {
  return { market, buckets: uniformBuckets(market), rules: { format }, bidders };
}

async function rowsOf(
  market: string,
  markets: readonly PredictionPoint[][],
  seed: number,
): Promise<PredictionRow[]> {
  const column = (at: number, of: 'welfare' | 'profit'): MarketFigures => ({
    values: markets.map((points) => points[at].outcome[of] / points[at].outcome.optimum),
    regrets: markets.map((points) => points[at].equilibrium.value.gap.meanRegretBound),
  });
  const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
  const rows: PredictionRow[] = [];
  for (const [at, sigma] of SIGMAS.entries()) {
    const [welfare, profit] = [column(at, 'welfare'), column(at, 'profit')];
    rows.push({
      ...{ market, sigma, welfare: mean(welfare.values), profit: mean(profit.values) },
      missed: mean(markets.map((points) => points[at].missed)),
      welfareGain: await pairedGain(column(0, 'welfare'), welfare, seed),
      profitGain: await pairedGain(column(0, 'profit'), profit, seed),
    });
  }
  return rows;
}
