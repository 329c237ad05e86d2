// The bids of one world: recorded, or of an equilibrium.

import type { Certified } from '../../core/certificate.ts';
import { UnsupportedError } from '../../core/errors.ts';
import type { RunOptions } from '../../core/progress.ts';
import { runAuctions } from '../auction/run-auctions.ts';
import { type FindEquilibriumOptions, findEquilibrium } from '../equilibrium/index.ts';
import { findMixedEquilibrium } from '../mixed/index.ts';
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
  mixed?: 'when-needed' | 'never' | undefined;
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
function solverOf({ search, mixed = 'when-needed' }: SolveOptions): EquilibriumSolver {
  return async (setting, run) => {
    const pure = await findEquilibrium(setting, { ...search, ...run });
    if (pure.value.converged || mixed === 'never') return pure;
    const found = await mixedFrom(setting, pure.value.profile, run);
    return found && found.value.gap.meanRegretBound < pure.value.gap.meanRegretBound ? found : pure;
  };
}

/** A mixed equilibrium near a profile; none for rules that mixed strategies are not computed for. */
async function mixedFrom(
  setting: Setting,
  profile: Profile,
  run: RunOptions & { seed: number },
): Promise<Certified<SolvedProfile> | undefined> {
  try {
    const start = profile.map((multiplier) => (Number.isNaN(multiplier) ? 1 : multiplier));
    const { value, certificate } = await findMixedEquilibrium(setting, { ...run, start });
    const column = (of: 'value' | 'spend') => Float64Array.from(value.gap.advertisers, (one) => one[of]);
    const totals = { value: column('value'), spend: column('spend') };
    const { outcome, gap } = value;
    return { value: { profile: value.profile, outcome: { ...outcome, totals }, gap }, certificate };
  } catch (error) {
    if (error instanceof UnsupportedError) return undefined;
    throw error;
  }
}
