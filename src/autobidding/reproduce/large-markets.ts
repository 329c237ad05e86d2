// Why mixes: in first price the regret of the best pure profile at hand falls as markets grow, and so does the width of the mixes.

import {
  judge,
  logLogSlope,
  type ProtocolOptions,
  type ProtocolReport,
  partOf,
  type Verdict,
} from '../../reproduce/protocol.ts';
import { OVERSPEND_ALLOWED } from '../equilibrium/objective.ts';
import { topicBuckets } from '../market/buckets.ts';
import { findMixedEquilibrium, mixedGap } from '../mixed/index.ts';
import { drawMarket, type SweepGenerator } from '../sweep/cell.ts';
import type { EquilibriumGap, MixedProfile, MixedStrategy, Setting } from '../types.ts';

/** Rows of a strategy and iterations of play: enough for a trend, and cheap at large sizes. */
const SEARCH = { support: 8, iterations: 100 };

/** Rounds of scaling until a pure profile keeps its targets. */
const MAX_ROUNDS = 6;

export interface LargeMarketsOptions extends ProtocolOptions {
  /** Default: the Provably generator. Its `auctions` are not read. */
  generator?: SweepGenerator | undefined;
  /** Auctions of each size, ascending. Default 2000, 8000. */
  sizes?: readonly number[] | undefined;
  /** K. Default 8. */
  level?: number | undefined;
}

export interface LargeMarketFigures {
  markets: {
    seed: number;
    auctions: number;
    /** Certified value-weighted regrets, as shares of value. */
    pureRegret: number;
    mixedRegret: number;
    /** Median over advertisers and buckets of the standard deviation of ln of the multiplier. */
    width: number;
    /** W ÷ W* of the mixed profile. */
    welfare: number;
  }[];
}

/**
 * Mixed profiles of growing markets in first price, and the pure ones of their geometric means.
 *
 * An observation on this search, not a proof that pure equilibria exist in the limit or are missing before. Default seed 202: 15 s of one core.
 */
export async function reproduceLargeMarkets(
  options: LargeMarketsOptions = {},
): Promise<ProtocolReport<LargeMarketFigures>> {
  const { seeds = [202], generator = { name: 'provably' }, sizes = [2000, 8000], level = 8 } = options;
  const markets: LargeMarketFigures['markets'] = [];
  for (const [run, seed] of seeds.entries()) {
    for (const [at, auctions] of sizes.entries()) {
      const part = partOf(options, 'growing markets', run * sizes.length + at, seeds.length * sizes.length);
      const generated = drawMarket({ ...generator, auctions }, seed);
      const setting: Setting = {
        market: generated.market,
        buckets: topicBuckets(generated, level),
        rules: { format: 'fpa' },
      };
      const { profile, gap, outcome } = (await findMixedEquilibrium(setting, { ...SEARCH, ...part })).value;
      const pure = await scaledToTargets(
        setting,
        profile.map((s) => geometricMean(s, level)),
        part,
      );
      markets.push({
        ...{ seed, auctions },
        pureRegret: pure.meanRegretBound,
        mixedRegret: gap.meanRegretBound,
        width: medianWidth(profile, level),
        welfare: outcome.welfare / outcome.optimum,
      });
    }
  }
  const verdicts: Verdict[] = seeds.map((seed) => {
    const own = markets.filter((market) => market.seed === seed);
    const slope = logLogSlope(
      own.map(({ auctions }) => auctions),
      own.map(({ pureRegret }) => pureRegret),
    );
    const claim = `${generator.name}, seed ${seed}: regret of pure profiles falls with the market`;
    return judge(claim, slope, { high: -0.4, unit: 'slope of ln regret in ln auctions' });
  });
  return {
    id: 'F1 limit',
    title: 'pure and mixed profiles of growing markets, first price',
    setting: { generator: generator.name, level, sizes, seeds, ...SEARCH },
    figures: { markets },
    verdicts,
  };
}

/** The strategy that bids the geometric mean of a mix for sure; nothing where the mix mostly bids nothing. */
function geometricMean({ weights, multipliers }: MixedStrategy, buckets: number): MixedStrategy {
  const row = Float64Array.from({ length: buckets }, (_, k) => {
    const { mean, mass } = logMoments({ weights, multipliers }, buckets, k);
    return mass > 0.5 ? Math.exp(mean) : 0;
  });
  return { weights: Float64Array.of(1), multipliers: row };
}

function logMoments(
  { weights, multipliers }: MixedStrategy,
  buckets: number,
  k: number,
): { mean: number; deviation: number; mass: number } {
  let [mass, sum, squares] = [0, 0, 0];
  for (const [row, weight] of weights.entries()) {
    const multiplier = multipliers[row * buckets + k];
    if (!(multiplier > 0)) continue;
    mass += weight;
    sum += weight * Math.log(multiplier);
    squares += weight * Math.log(multiplier) ** 2;
  }
  const mean = sum / mass;
  return { mean, deviation: Math.sqrt(Math.max(0, squares / mass - mean ** 2)), mass };
}

function medianWidth(profile: MixedProfile, buckets: number): number {
  const widths = profile.flatMap((strategy) =>
    Array.from({ length: buckets }, (_, k) => logMoments(strategy, buckets, k))
      .filter(({ mass }) => mass > 0.5)
      .map(({ deviation }) => deviation),
  );
  return widths.sort((a, b) => a - b)[widths.length >> 1];
}

/** Lowers the multipliers of those that overspend, in a few rounds. */
async function scaledToTargets(
  setting: Setting,
  profile: MixedProfile,
  part: Parameters<typeof mixedGap>[2],
): Promise<EquilibriumGap> {
  let scaled = profile;
  for (let round = 0; ; round++) {
    const gap = await mixedGap(setting, scaled, part);
    if (gap.maxOverspend <= OVERSPEND_ALLOWED || round === MAX_ROUNDS) return gap;
    scaled = scaled.map(({ weights, multipliers }, i) => {
      const { overspend } = gap.advertisers[i];
      // Lower bids also win less: most of the overspend is enough.
      const factor = overspend > OVERSPEND_ALLOWED ? Math.max(0.9, 1 - 0.8 * overspend) : 1;
      return { weights, multipliers: multipliers.map((multiplier) => multiplier * factor) };
    });
  }
}
