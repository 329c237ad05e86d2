// What the verifier is asked and what it answers.

import type { RunOptions } from '../../core/progress.ts';
import type { EquilibriumGap, MarketOutcome } from '../types.ts';

/** Figures that somebody states about a profile. Those left out are not checked. */
export interface Claims {
  /** No advertiser gains more than this share by deviating. */
  readonly maxRegret?: number | undefined;
  /** Nor all together more than this share of their objectives. */
  readonly meanRegret?: number | undefined;
  /** No target is missed by more. */
  readonly maxOverspend?: number | undefined;
  readonly welfare?: number | undefined;
  readonly profit?: number | undefined;
  readonly optimum?: number | undefined;
  /** V and P of each advertiser, shape (advertisers,), money. */
  readonly value?: Float64Array | undefined;
  readonly spend?: Float64Array | undefined;
}

export interface VerifyOptions extends RunOptions {
  /** ε of regret: a share of the own objective that a deviation may add. Default 1e-6. */
  maxRegret?: number | undefined;
  /** The same of the mean regret, weighted by objective. Default: not asked. */
  meanRegret?: number | undefined;
  /** ε of targets and budgets: the share by which spend may pass them. Default 1e-4. */
  maxOverspend?: number | undefined;
  /** Figures to check against what is recomputed. */
  claims?: Claims | undefined;
  /** Combinations of mixed rows that may be run in one auction with owners or several entries of one advertiser. Default 4096. */
  maxCombinations?: number | undefined;
}

/** One reason not to accept a profile, with the numbers. */
export type Objection =
  /** Spends more than the value it gets. */
  | {
      readonly kind: 'target';
      readonly advertiser: number;
      readonly value: number;
      readonly spend: number;
      readonly message: string;
    }
  /** Spends more than its budget. */
  | {
      readonly kind: 'budget';
      readonly advertiser: number;
      readonly spend: number;
      readonly budget: number;
      readonly message: string;
    }
  /** Has a better reply, shown by running every auction with it. */
  | {
      readonly kind: 'deviation';
      readonly advertiser: number;
      /** Share of the own objective gained. */
      readonly gain: number;
      /** Shape (K,). */
      readonly deviation: Float64Array;
      /** V and P of the advertiser when it deviates. */
      readonly value: number;
      readonly spend: number;
      readonly message: string;
    }
  /** All together gain more than was stated. */
  | { readonly kind: 'mean-regret'; readonly gain: number; readonly message: string }
  /** Bids with a multiplier above the cap. */
  | {
      readonly kind: 'cap';
      readonly advertiser: number;
      readonly multiplier: number;
      readonly message: string;
    }
  /** A stated figure is not what comes out. */
  | {
      readonly kind: 'claim';
      readonly figure: string;
      readonly claimed: number;
      readonly found: number;
      readonly message: string;
    };

export interface Verification {
  /**
   * accepted: everything stated holds · rejected: an objection refutes it · undecided: nothing refutes it, but the bounds do not prove it
   * either.
   */
  readonly verdict: 'accepted' | 'rejected' | 'undecided';
  /** Empty unless rejected; deviations largest first. */
  readonly objections: readonly Objection[];
  /** Regrets as recomputed: `best` is demonstrated by a run of all auctions, `bestBound` proved. */
  readonly gap: EquilibriumGap;
  /** Totals as recomputed; expectations for mixed profiles. */
  readonly outcome: MarketOutcome;
  /** Better replies that were shown by running everything with them. */
  readonly deviationsRun: number;
}
