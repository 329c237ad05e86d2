// One cell of a sweep: a market drawn, a format, a level of non-uniformity, and the equilibrium found there. What workers run.

import type { DynamicsName } from '../equilibrium/index.ts';
import { bindingShare, type Equilibrium, findEquilibrium } from '../equilibrium/index.ts';
import { OVERSPEND_ALLOWED } from '../equilibrium/objective.ts';
import { type GammaTopicGeneratorOptions, gammaTopicGenerator } from '../generators/gamma-topic-generator.ts';
import type { GeneratedMarket } from '../generators/generated.ts';
import { type ProvablyGeneratorOptions, provablyGenerator } from '../generators/provably-generator.ts';
import { topicBuckets } from '../market/buckets.ts';
import { findMixedEquilibrium, type MixedEquilibrium } from '../mixed/index.ts';
import type { AuctionFormat, Bidder, Setting } from '../types.ts';

/** A generator and its parameters; the seed is the sweep's. */
export type SweepGenerator =
  | ({ readonly name: 'provably' } & Omit<ProvablyGeneratorOptions, 'seed'>)
  | ({ readonly name: 'gamma-topic' } & Omit<GammaTopicGeneratorOptions, 'seed'>);

/** Options of `findEquilibrium` that a sweep hands on. */
export interface SweepSearch {
  readonly dynamics?: DynamicsName | undefined;
  readonly iterations?: number | undefined;
  readonly rounds?: number | undefined;
  readonly tolerance?: number | undefined;
  readonly seed?: number | undefined;
}

/** Pure equilibria; mixed ones; or mixed ones just where no pure one is found whose regret is within the tolerance, and within 2 % for each advertiser. */
export type SweepStrategies = 'pure' | 'mixed' | 'auto';

/** Everything a cell depends on. */
export interface SweepTask {
  readonly strategies: SweepStrategies;
  readonly generator: SweepGenerator;
  readonly seed: number;
  readonly format: AuctionFormat;
  readonly level: number;
  readonly reserve: number;
  readonly bidders: readonly Bidder[] | undefined;
  readonly maxMultiplier: number | undefined;
  readonly search: SweepSearch;
}

/** What came of it. Money as a share of the optimum W*. */
export interface SweepCell {
  readonly seed: number;
  readonly format: AuctionFormat;
  /** K. */
  readonly level: number;
  /** What the figures are of: a pure profile, or mixed strategies, whose money is expected and whose targets hold in expectation. */
  readonly strategies: 'pure' | 'mixed';
  readonly welfare: number;
  readonly profit: number;
  /** Value-weighted mean and largest regret: of the deviations found, and the bounds that are certified. */
  readonly meanRegret: number;
  readonly maxRegret: number;
  readonly meanRegretBound: number;
  readonly maxRegretBound: number;
  readonly maxOverspend: number;
  /** Targets are met to 10⁻⁴ and the certified value-weighted regret is within the tolerance: by default 0.1 % at K ≤ 2, 0.3 % above. */
  readonly converged: boolean;
  /** Share of value bidders whose target binds. */
  readonly bindingShare: number;
  /** Mean welfare and profit over the last quarter of the (pure) dynamic; those of the cell where none ran. */
  readonly lastQuarter: { readonly welfare: number; readonly profit: number };
}

/** Of any one advertiser of a pure profile: above, 'auto' tries mixed strategies. */
const MOST_REGRET = 0.02;

/** Draws the market of a seed. @throws {InvalidArgumentError} a parameter leaves its range */
export function drawMarket({ name, ...parameters }: SweepGenerator, seed: number): GeneratedMarket {
  return name === 'provably'
    ? provablyGenerator({ ...parameters, seed })
    : gammaTopicGenerator({ ...parameters, seed });
}

/** Runs one cell; the same bits wherever it runs. */
export async function runCell(task: SweepTask, signal?: AbortSignal): Promise<SweepCell> {
  const { generator, seed, format, level, strategies, reserve, bidders, maxMultiplier, search } = task;
  const generated = drawMarket(generator, seed);
  const setting: Setting = {
    market: generated.market,
    buckets: topicBuckets(generated, level),
    rules: { format, reserve },
    bidders,
    maxMultiplier,
  };
  const tolerance = search.tolerance ?? (level <= 2 ? 0.001 : 0.003);
  const pure = (await findEquilibrium(setting, { ...search, tolerance, signal })).value;
  const found =
    strategies === 'pure' ||
    (strategies === 'auto' && pure.converged && pure.gap.maxRegretBound <= MOST_REGRET)
      ? pure
      : await mixFrom(setting, pure, strategies, { seed: search.seed, signal });
  const { outcome, gap } = found;
  const share = (money: number) => (outcome.optimum > 0 ? money / outcome.optimum : 0);
  return {
    seed,
    format,
    level,
    strategies: found === pure ? 'pure' : 'mixed',
    welfare: share(outcome.welfare),
    profit: share(outcome.profit),
    meanRegret: gap.meanRegret,
    maxRegret: gap.maxRegret,
    meanRegretBound: gap.meanRegretBound,
    maxRegretBound: gap.maxRegretBound,
    maxOverspend: gap.maxOverspend,
    converged: gap.maxOverspend <= OVERSPEND_ALLOWED && gap.meanRegretBound <= tolerance,
    bindingShare: bindingShare(gap, bidders),
    lastQuarter: {
      welfare: share(pure.lastQuarter?.welfare ?? outcome.welfare),
      profit: share(pure.lastQuarter?.profit ?? outcome.profit),
    },
  };
}

/** A mixed equilibrium from the pure profile; with `auto` the pure one again when mixing does not lower the certified regret. */
async function mixFrom(
  setting: Setting,
  pure: Equilibrium,
  strategies: SweepStrategies,
  { seed, signal }: { seed: number | undefined; signal: AbortSignal | undefined },
): Promise<Equilibrium | MixedEquilibrium> {
  const { value } = await findMixedEquilibrium(setting, { start: pure.profile, seed, signal });
  const worse =
    value.gap.maxOverspend > OVERSPEND_ALLOWED || value.gap.meanRegretBound >= pure.gap.meanRegretBound;
  return strategies === 'auto' && worse && pure.gap.maxOverspend <= OVERSPEND_ALLOWED ? pure : value;
}
