// The bids of one world: recorded, or of an equilibrium.

import type { Certified } from '../../core/certificate.ts';
import type { RunOptions } from '../../core/progress.ts';
import { runAuctions } from '../auction/run-auctions.ts';
import { type FindEquilibriumOptions, findEquilibrium } from '../equilibrium/index.ts';
import { profileBids } from '../market/profile-bids.ts';
import type { Bidder, EquilibriumGap, Market, MarketOutcome, Profile, Setting } from '../types.ts';
import { recordedGap } from './recorded-gap.ts';
import type { ReplayedWorld, ReplayWorld } from './types.ts';

/** A profile at rest, what it does, and how much at rest it is. */
export interface SolvedProfile {
  readonly profile: Profile;
  readonly outcome: MarketOutcome;
  readonly gap: EquilibriumGap;
}

/** Finds an equilibrium of a setting, with its certificate. */
export type EquilibriumSolver = (
  setting: Setting,
  options: RunOptions & { seed: number },
) => Promise<Certified<SolvedProfile>>;

export interface SolveOptions extends RunOptions {
  /** Shape (advertisers,). Default: all value maximisers without budget. */
  bidders?: readonly Bidder[] | undefined;
  /** Cap of multipliers, ≥ 1. Default 10. */
  maxMultiplier?: number | undefined;
  /** Unsigned 32-bit integer. Default 0. */
  seed?: number | undefined;
  /** How equilibria are searched for. */
  search?: Omit<FindEquilibriumOptions, 'seed' | 'signal' | 'onProgress'> | undefined;
  /** What finds equilibria. Default: `findEquilibrium` with the options of `search`. */
  solve?: EquilibriumSolver | undefined;
}

/** A world with the bids that it is replayed with. */
export interface SolvedWorld {
  readonly setting: Setting;
  readonly bids: Float64Array;
  readonly replayed: ReplayedWorld;
  readonly warnings: readonly string[];
}

/** Bids of a world: recorded, or of an equilibrium found. */
export async function solveWorld(
  market: Market,
  { rules, buckets, bids }: ReplayWorld,
  name: string,
  { bidders, maxMultiplier, search, solve = withSearch(search), seed = 0, signal, onProgress }: SolveOptions,
): Promise<SolvedWorld> {
  const setting: Setting = { market, buckets, rules, bidders, maxMultiplier };
  const report =
    onProgress &&
    ((now: Parameters<typeof onProgress>[0]) => {
      onProgress({ ...now, phase: `${name}: ${now.phase}` });
    });
  const run = { signal, onProgress: report };
  if (bids !== undefined) {
    const outcome = await runAuctions(setting, { bids }, run);
    const gap = await recordedGap(setting, bids, outcome, run);
    return {
      ...{ setting, bids, warnings: outcome.warnings },
      replayed: { origin: 'recorded', outcome, gap },
    };
  }
  const { value, certificate } = await solve(setting, { seed, ...run });
  return {
    ...{ setting, bids: profileBids(setting, value.profile), warnings: certificate.warnings },
    replayed: {
      ...{
        origin: 'equilibrium',
        outcome: value.outcome,
        profile: value.profile,
        gap: value.gap,
        certificate,
      },
    },
  };
}

function withSearch(search: SolveOptions['search']): EquilibriumSolver {
  return (setting, run) => findEquilibrium(setting, { ...search, ...run });
}
