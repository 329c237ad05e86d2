// The bids that settings ask for: an equilibrium, those recorded, or one multiplier for everybody.

import {
  type EquilibriumGap,
  equilibriumGap,
  findEquilibrium,
  type MarketOutcome,
  type Profile,
  profileBids,
  recordedProfile,
  runAuctions,
  type Setting,
} from '../../autobidding/index.ts';
import type { Certificate } from '../../core/certificate.ts';
import type { RunOptions } from '../../core/progress.ts';
import { UsageError } from '../failure.ts';
import type { OpenedMarket } from './open-market.ts';
import type { BidsSettings, CommonSettings } from './settings-types.ts';
import { searchOf } from './sources.ts';

/** Bids with what they lead to. */
export interface SolvedBids {
  /** "equilibrium", "bids as recorded", "multiplier 1 everywhere". */
  readonly how: string;
  /** Multipliers; of recorded bids those that explain them best. */
  readonly profile: Profile;
  readonly outcome: MarketOutcome;
  /** What advertisers could gain by deviating; unknown for recorded bids, which are no profile. */
  readonly gap?: EquilibriumGap | undefined;
  readonly certificate?: Certificate | undefined;
  readonly warnings: readonly string[];
}

export async function solveBids(
  setting: Setting,
  bids: BidsSettings,
  opened: OpenedMarket,
  { search, seed }: CommonSettings,
  run: RunOptions,
): Promise<SolvedBids> {
  if (bids === 'equilibrium') {
    const { value, certificate } = await findEquilibrium(setting, { ...searchOf(search), seed, ...run });
    const { profile, outcome, gap } = value;
    return { how: 'equilibrium', profile, outcome, gap, certificate, warnings: [] };
  }
  const { market, buckets } = setting;
  if (bids === 'recorded') {
    const recorded = opened.recordedBids?.(buckets);
    if (recorded === undefined) {
      throw new UsageError(
        `--bids recorded: ${opened.source} has no column of bids. Name it with --columns bid=…, or leave --bids out.`,
      );
    }
    const outcome = await runAuctions(setting, { bids: recorded }, run);
    const { profile } = recordedProfile(market, buckets, recorded);
    return { how: 'bids as recorded', profile, outcome, warnings: outcome.warnings };
  }
  const profile = new Float64Array(market.advertisers * buckets.count).fill(bids);
  const outcome = await runAuctions(setting, { bids: profileBids(setting, profile) }, run);
  const gap = await equilibriumGap(setting, profile, run);
  return { how: `multiplier ${bids} everywhere`, profile, outcome, gap, warnings: outcome.warnings };
}
