// What a replay is asked and what it answers.

import type { Certificate } from '../../core/certificate.ts';
import type {
  AdvertiserTotals,
  AuctionRules,
  Buckets,
  EquilibriumGap,
  MarketOutcome,
  MixedProfile,
  Profile,
} from '../types.ts';
import type { Change } from './change.ts';
import type { AdvertiserVerdict } from './winners.ts';

/** Rules, and how finely bidders tell auctions apart under them. */
export interface ReplayWorld {
  readonly rules: AuctionRules;
  readonly buckets: Buckets;
  /** Bids as they were recorded, shape (entries,), ≥ 0. Left out: those of an equilibrium under these rules. */
  readonly bids?: Float64Array | undefined;
}

/** What bids lead to; expectations where strategies are mixed. */
export type WorldOutcome = Omit<MarketOutcome, 'totals'> & {
  readonly totals: Pick<AdvertiserTotals, 'value' | 'spend'>;
};

/** How the bids of a world came about, and what they led to. */
export interface ReplayedWorld {
  readonly origin: 'recorded' | 'equilibrium' | 'mixed equilibrium';
  readonly outcome: WorldOutcome;
  /** There for an equilibrium: shape (advertisers · K,), or one mixed strategy for each advertiser. */
  readonly profile?: Profile | MixedProfile | undefined;
  /**
   * What each advertiser could still gain alone. For recorded bids: by bidding one multiplier a bucket instead; no claim that anybody is at
   * rest.
   */
  readonly gap: EquilibriumGap;
  /** Of the equilibrium; recorded bids have none. */
  readonly certificate?: Certificate | undefined;
}

/** What changes for one advertiser. */
export interface AdvertiserChange {
  readonly advertiser: number;
  readonly name: string;
  readonly value: Change;
  readonly spend: Change;
  /** Raw value for each unit spent, τ V / P, before and after; Infinity for value at no cost, NaN where there is neither. */
  readonly roas: readonly [before: number, after: number];
  /** Of what the advertiser is after: value; for utility bidders value − spend. */
  readonly gain: number;
  /** The gain is within ± this, for all advertisers at once. */
  readonly gainHalfWidth: number;
  readonly verdict: AdvertiserVerdict;
}

/** What intervals rest on. */
export interface Bootstrap {
  readonly groups: number;
  /** What was drawn: "auctions", "clusters", "random groups of about 50 auctions". */
  readonly groupName: string;
  readonly resamples: number;
  /** Whether bidders kept the multipliers of the log, or equilibria were found anew on each draw. */
  readonly multipliers: 'held' | 'found anew';
}

/** The answer to "what if". */
export interface Replay {
  readonly from: ReplayedWorld;
  readonly to: ReplayedWorld;
  /** Liquid welfare where there are budgets. */
  readonly welfare: Change;
  readonly profit: Change;
  /** Welfare ÷ the most there could be. */
  readonly efficiency: Change;
  /** By advertiser number. */
  readonly advertisers: readonly AdvertiserChange[];
  readonly bootstrap: Bootstrap;
}
