// Settings of `provably autobid`, checked and with defaults.

import type { AuctionFormat, BatBuckets, FrontierPolicy, TieRule } from '../../autobidding/index.ts';
import type { MixedWhen } from '../../autobidding/mixed/index.ts';

/** A generated market instead of a log. What is left out is the generator's own default. */
export interface GeneratorSettings {
  name: 'provably' | 'gamma-topic';
  advertisers?: number | undefined;
  auctions?: number | undefined;
  participants?: number | undefined;
  topics?: number | undefined;
  /** Of the Provably generator: how far topics predict values. */
  rho?: number | undefined;
  targetSpread?: number | undefined;
}

/** Names of the columns of a log, by what they are. */
export interface ColumnSettings {
  auction?: string | undefined;
  advertiser?: string | undefined;
  value?: string | undefined;
  bucket?: string | undefined;
  positionWeight?: string | undefined;
  target?: string | undefined;
  entry?: string | undefined;
  owner?: string | undefined;
  budget?: string | undefined;
  bidderKind?: string | undefined;
  bid?: string | undefined;
  price?: string | undefined;
}

export interface MarketSettings {
  /** A table with one row for each entry of an advertiser in an auction. */
  log?: string | undefined;
  layout: 'rows' | 'auctionnet' | 'bat';
  columns: ColumnSettings;
  /** δ of the slots, best first. */
  discounts?: number[] | undefined;
  onInvalid: 'throw' | 'drop';
  multiEntry?: boolean | undefined;
  /** Column whose labels make segments; "value": quantiles of each advertiser's values; "topic": of generated markets. */
  segmentBy?: string | undefined;
  /** Column of what is drawn together in a bootstrap: days, users. */
  clusterBy?: string | undefined;
  generator?: GeneratorSettings | undefined;
}

/** One advertiser that is no value maximiser without budget. */
export type BidderSettings = { advertiser: string } & (
  | { kind: 'value' | 'utility'; budget?: number | undefined }
  | { kind: 'fixed'; multiplier: number }
  | { kind: 'manual'; bid: number }
);

export interface RulesSettings {
  format: AuctionFormat;
  /** Default: that of the log, else 0. */
  reserve?: number | undefined;
  ties: TieRule;
}

export interface SearchSettings {
  dynamics:
    | 'damped-best-response'
    | 'plain-best-response'
    | 'gauss-seidel'
    | 'controller'
    | 'dual-descent'
    | 'optimistic';
  iterations: number;
  rounds: number;
  /** Value-weighted regret from which a result counts as an equilibrium. Left out: 0.3 % of all value; in sweeps 0.1 % at one and two segments. */
  tolerance?: number | undefined;
}

/** What every subcommand on a market takes. */
export interface CommonSettings {
  market: MarketSettings;
  bidders: BidderSettings[];
  maxMultiplier: number;
  search: SearchSettings;
  seed: number;
}

/** What is bid: an equilibrium, what the log recorded, or one multiplier for everybody. */
export type BidsSettings = 'equilibrium' | 'recorded' | number;

export interface SimulateSettings extends CommonSettings, RulesSettings {
  segments: number;
  bids: BidsSettings;
  /** Mixed strategies where pure ones find no rest. */
  mixed: MixedWhen;
}

export interface ReplaySettings extends CommonSettings {
  /** Mixed strategies where pure ones find no rest. */
  mixed: MixedWhen;
  /** bids auto: those recorded if the log has any, else an equilibrium. */
  from: RulesSettings & { segments: number; bids: 'auto' | 'recorded' | 'equilibrium' };
  to: RulesSettings & { segments: number };
  bootstrap: {
    resamples: number;
    /** Find equilibria anew on so many draws, instead of holding multipliers. */
    resolve: number;
    confidence: number;
  };
}

export interface SweepSettings extends CommonSettings {
  formats: AuctionFormat[];
  segments: number[];
  /** Markets drawn, each with the next seed. */
  seeds: number;
  reserve: number;
  /** Mixed strategies where pure ones find no rest. */
  mixed: MixedWhen;
  confidence: number;
}

export interface FrontierSettings extends CommonSettings, RulesSettings {
  segments: number;
  /** Default: all but reserve, which is there when `reserves` are. */
  policies?: FrontierPolicy[] | undefined;
  /** Of each policy without unit. */
  levels: number[];
  /** Levels of the policy reserve, money. */
  reserves?: number[] | undefined;
}

export interface PacingSettings extends CommonSettings {
  /** By advertiser, money > 0; "all": of everybody else that has none. */
  budgets: Record<string, number>;
}

export interface BestResponseSettings extends CommonSettings, RulesSettings {
  segments: number;
  /** Merge the segments into so many, which serve the advertiser best. */
  learnSegments?: number | undefined;
  /** Whose bids are looked for; the first if none is named. */
  advertiser?: string | undefined;
  /** What all others bid. */
  others: BidsSettings;
  /** Of the layout bat. */
  bat: {
    /** File with budgets and lives of campaigns. */
    campaigns?: string | undefined;
    /** Most money a contact may cost on average. */
    valuePerContact?: number | undefined;
    /** Which hours share a bid. */
    hours: BatBuckets;
  };
  /** Mixed strategies where pure ones find no rest. */
  mixed: MixedWhen;
}
