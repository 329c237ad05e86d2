// One cell of a sweep: a market drawn, a format, a level of non-uniformity, and the equilibrium found there. What workers run.

import { isAtRest } from '../equilibrium/at-rest.ts';
import { bindingShare } from '../equilibrium/binding.ts';
import type { DynamicsName } from '../equilibrium/index.ts';
import { type GammaTopicGeneratorOptions, gammaTopicGenerator } from '../generators/gamma-topic-generator.ts';
import type { GeneratedMarket } from '../generators/generated.ts';
import { type ProvablyGeneratorOptions, provablyGenerator } from '../generators/provably-generator.ts';
import { topicBuckets } from '../market/buckets.ts';
import { findPureOrMixed, type MixedWhen } from '../mixed/index.ts';
import type { AuctionFormat, Bidder } from '../types.ts';

/** A generator and its parameters; the seed is the sweep's. */
export type SweepGenerator =
  | ({ readonly name: 'provably' } & Omit<ProvablyGeneratorOptions, 'seed'>)
  | ({ readonly name: 'gamma-topic' } & Omit<GammaTopicGeneratorOptions, 'seed'>);

/** Regret from which a cell counts as at rest, where no other is asked for: at few segments, and at many. */
const TOLERANCE = { few: 0.001, many: 0.003 };
const FEW_SEGMENTS = 2;

/** Options of `findEquilibrium` that a sweep hands on, and whether strategies may be mixed. */
export interface SweepSearch {
  /** Default 'when-needed'. */
  readonly mixed?: MixedWhen | undefined;
  readonly dynamics?: DynamicsName | undefined;
  readonly iterations?: number | undefined;
  readonly rounds?: number | undefined;
  /** Certified value-weighted regret; that of one advertiser may be 2 %. Default 0.001 up to K = 2, 0.003 above. */
  readonly tolerance?: number | undefined;
  readonly seed?: number | undefined;
}

/** Everything a cell depends on. */
export interface SweepTask {
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
  readonly welfare: number;
  readonly profit: number;
  /** Value-weighted mean and largest regret: of the deviations found, and the bounds that are certified. */
  readonly meanRegret: number;
  readonly maxRegret: number;
  readonly meanRegretBound: number;
  readonly maxRegretBound: number;
  readonly maxOverspend: number;
  readonly converged: boolean;
  /** Whether advertisers play one profile, or draw theirs: then all figures are expectations. */
  readonly strategies: 'pure' | 'mixed';
  /** Share of value bidders whose target binds. */
  readonly bindingShare: number;
  /** Mean welfare and profit over the last quarter of the dynamic; those of the cell where none ran. */
  readonly lastQuarter: { readonly welfare: number; readonly profit: number };
}

/** Draws the market of a seed. @throws {InvalidArgumentError} a parameter leaves its range */
export function drawMarket({ name, ...parameters }: SweepGenerator, seed: number): GeneratedMarket {
  return name === 'provably'
    ? provablyGenerator({ ...parameters, seed })
    : gammaTopicGenerator({ ...parameters, seed });
}

/** Runs one cell; the same bits wherever it runs. */
export async function runCell(task: SweepTask, signal?: AbortSignal): Promise<SweepCell> {
  const { generator, seed, format, level, reserve, bidders, maxMultiplier, search } = task;
  const generated = drawMarket(generator, seed);
  const setting = {
    market: generated.market,
    buckets: topicBuckets(generated, level),
    rules: { format, reserve },
    bidders,
    maxMultiplier,
  };
  const tolerance = search.tolerance ?? (level <= FEW_SEGMENTS ? TOLERANCE.few : TOLERANCE.many);
  const { pure, mixed } = await findPureOrMixed(setting, { ...search, tolerance, signal });
  const { outcome, gap } = mixed?.value ?? pure.value;
  const { optimum } = pure.value.outcome;
  const share = (money: number) => (optimum > 0 ? money / optimum : 0);
  const { lastQuarter = outcome } = pure.value;
  return {
    seed,
    format,
    level,
    welfare: share(outcome.welfare),
    profit: share(outcome.profit),
    meanRegret: gap.meanRegret,
    maxRegret: gap.maxRegret,
    meanRegretBound: gap.meanRegretBound,
    maxRegretBound: gap.maxRegretBound,
    maxOverspend: gap.maxOverspend,
    converged: isAtRest(gap, tolerance),
    strategies: mixed ? 'mixed' : 'pure',
    bindingShare: bindingShare(bidders, gap),
    lastQuarter: { welfare: share(lastQuarter.welfare), profit: share(lastQuarter.profit) },
  };
}
