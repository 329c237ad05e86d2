// The bids that settings ask for: an equilibrium, those recorded, or one multiplier for everybody.

import {
  type EquilibriumGap,
  equilibriumGap,
  type MarketOutcome,
  type MixedProfile,
  type Profile,
  profileBids,
  recordedProfile,
  runAuctions,
  type Setting,
  type WorldOutcome,
} from '../../autobidding/index.ts';
import { findPureOrMixed, type MixedWhen } from '../../autobidding/mixed/index.ts';
import type { Certificate } from '../../core/certificate.ts';
import type { RunOptions } from '../../core/progress.ts';
import { UsageError } from '../failure.ts';
import type { OpenedMarket } from './open-market.ts';
import type { BidsSettings, CommonSettings } from './settings-types.ts';
import { searchOf } from './sources.ts';

/** Bids with what they lead to. */
export interface SolvedBids {
  /** "equilibrium", "mixed equilibrium", "bids as recorded", "multiplier 1 everywhere". */
  readonly how: string;
  /** Multipliers; of recorded bids those that explain them best. */
  readonly profile: Profile | MixedProfile;
  /** Expectations where strategies are mixed. */
  readonly outcome: WorldOutcome;
  /** Slots won, shape (advertisers,); not known of mixed strategies. */
  readonly wins?: MarketOutcome['totals']['wins'] | undefined;
  /** Of each entry, where they are no multiples of values: recorded. */
  readonly bids?: Float64Array | undefined;
  /** What advertisers could gain by deviating; unknown for recorded bids, which are no profile. */
  readonly gap?: EquilibriumGap | undefined;
  readonly certificate?: Certificate | undefined;
  readonly warnings: readonly string[];
}

export async function solveBids(
  setting: Setting,
  bids: BidsSettings,
  opened: OpenedMarket,
  { search, seed, mixed }: CommonSettings & { mixed: MixedWhen },
  run: RunOptions,
): Promise<SolvedBids> {
  if (bids === 'equilibrium') {
    const found = await findPureOrMixed(setting, { ...searchOf(search), seed, mixed, ...run });
    if (found.mixed) {
      const { value, certificate } = found.mixed;
      const { profile, gap } = value;
      const column = (of: 'value' | 'spend') => Float64Array.from(gap.advertisers, (one) => one[of]);
      const outcome = { ...value.outcome, totals: { value: column('value'), spend: column('spend') } };
      return { how: 'mixed equilibrium', profile, outcome, gap, certificate, warnings: [] };
    }
    const { value, certificate } = found.pure;
    const { profile, outcome, gap } = value;
    const { wins } = outcome.totals;
    return { how: 'equilibrium', profile, outcome, wins, gap, certificate, warnings: [] };
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
    return {
      how: 'bids as recorded',
      profile,
      outcome,
      wins: outcome.totals.wins,
      bids: recorded,
      warnings: outcome.warnings,
    };
  }
  const profile = new Float64Array(market.advertisers * buckets.count).fill(bids);
  const outcome = await runAuctions(setting, { bids: profileBids(setting, profile) }, run);
  const gap = await equilibriumGap(setting, profile, run);
  return {
    ...{ how: `multiplier ${bids} everywhere`, profile, outcome, wins: outcome.totals.wins, gap },
    warnings: outcome.warnings,
  };
}

/** Multipliers of everybody; entries that recorded bids say nothing of are bid nothing. */
export function filledProfile(profile: Profile, { market, buckets }: Setting): Float64Array {
  const filled = profile.slice();
  for (let e = 0; e < market.values.length; e++) {
    const cell = market.advertiserOf[e] * buckets.count + buckets.ofEntry[e];
    if (Number.isNaN(filled[cell])) filled[cell] = 0;
  }
  return filled;
}
