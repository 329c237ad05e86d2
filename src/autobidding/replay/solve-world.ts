// The bids of one world: recorded, or of an equilibrium.

import type { Certified } from '../../core/certificate.ts';
import type { RunOptions } from '../../core/progress.ts';
import { runAuctions } from '../auction/run-auctions.ts';
import type { FindEquilibriumOptions } from '../equilibrium/index.ts';
import { findPureOrMixed, type MixedWhen } from '../mixed/index.ts';
import type { Bidder, EquilibriumGap, Market, MixedProfile, Profile, Setting } from '../types.ts';
import type { BidWorld } from './group-sums.ts';
import { drawsOf, isMixed } from './mixed-draws.ts';
import { recordedGap } from './recorded-gap.ts';
import type { ReplayedWorld, ReplayWorld, WorldOutcome } from './types.ts';

/** A profile at rest, what it does, and how much at rest it is. */
export interface SolvedProfile {
  readonly profile: Profile | MixedProfile;
  readonly outcome: WorldOutcome;
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
  /**
   * Mixed strategies where pure ones come to no rest: 'when-needed', if the pure search does not converge and mixed ones are nearer to rest; or
   * 'never'. Default 'when-needed'.
   */
  mixed?: MixedWhen | undefined;
  /** What finds equilibria. Default: `findEquilibrium`, then `findMixedEquilibrium` as `mixed` says. */
  solve?: EquilibriumSolver | undefined;
}

/** A world with the bids that it is replayed with. */
export interface SolvedWorld extends BidWorld {
  readonly replayed: ReplayedWorld;
  readonly warnings: readonly string[];
}

/** Bids of a world: recorded, or of an equilibrium found. */
export async function solveWorld(
  market: Market,
  { rules, buckets, bids }: ReplayWorld,
  name: string,
  options: SolveOptions,
): Promise<SolvedWorld> {
  const { bidders, maxMultiplier, solve = solverOf(options), seed = 0, signal, onProgress } = options;
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
      ...{ setting, warnings: outcome.warnings },
      draws: { count: 1, bids: () => bids },
      replayed: { origin: 'recorded', outcome, gap },
    };
  }
  const { value, certificate } = await solve(setting, { seed, ...run });
  const { profile, outcome, gap } = value;
  const mixes = isMixed(profile);
  return {
    ...{ setting, warnings: certificate.warnings, draws: drawsOf(setting, profile, seed) },
    totals: mixes ? outcome.totals : undefined,
    replayed: {
      ...{ origin: mixes ? 'mixed equilibrium' : 'equilibrium', outcome, profile, gap, certificate },
    },
  };
}

/** A pure equilibrium, or a mixed one where pure strategies stay further from rest than is tolerated. */
function solverOf({ search, mixed }: SolveOptions): EquilibriumSolver {
  return async (setting, run) => {
    const found = await findPureOrMixed(setting, { ...search, ...run, mixed });
    if (found.mixed === undefined) return found.pure;
    const { profile, gap, outcome } = found.mixed.value;
    const column = (of: 'value' | 'spend') => Float64Array.from(gap.advertisers, (one) => one[of]);
    const totals = { value: column('value'), spend: column('spend') };
    return {
      value: { profile, outcome: { ...outcome, totals }, gap },
      certificate: found.mixed.certificate,
    };
  };
}
