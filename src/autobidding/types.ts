// What the parts of this system hand to each other: markets, rules, bidders, profiles of multipliers and what comes of them.

/** First price, generalized second price, Vickrey-Clarke-Groves: all of them position auctions. */
export type AuctionFormat = 'fpa' | 'gsp' | 'vcg';

export const AUCTION_FORMATS: readonly AuctionFormat[] = ['fpa', 'gsp', 'vcg'];

/**
 * Who values which query how much, in compressed rows: the entries of auction j are offsets[j] … offsets[j + 1] − 1.
 *
 * Values are target-normalised, in money: what entry e is worth in slot 1, divided by its advertiser's target ROAS, so that every target
 * reads spend ≤ value. Entries with no value are not stored.
 */
export interface Market {
  readonly auctions: number;
  readonly advertisers: number;
  /** Shape (auctions + 1,), ascending, offsets[0] = 0. */
  readonly offsets: Uint32Array;
  /** Advertiser of each entry, shape (entries,); ascending within an auction, equal only for several entries of one advertiser. */
  readonly advertiserOf: Uint32Array;
  /** v of each entry, shape (entries,), |ln v| ≤ 50. */
  readonly values: Float64Array;
  /** δ, shape (slots,): 1 ≥ δ₁ ≥ … ≥ δ_S ≥ 0. A slot of discount 0 is never sold. */
  readonly discounts: Float64Array;
  /** τ, target ROAS of each advertiser by which raw values were divided, shape (advertisers,), > 0. Left out: 1. */
  readonly targets?: Float64Array | undefined;
  /** What the advertisers are called, shape (advertisers,). Left out: their numbers. */
  readonly names?: readonly string[] | undefined;
}

/** Which multiplier an entry is bid with: its advertiser's bucket. */
export interface Buckets {
  /** K ≥ 1: the level of non-uniformity. */
  readonly count: number;
  /** Bucket of each entry, < count, shape (entries,). Common to an auction, or each advertiser's own. */
  readonly ofEntry: Uint16Array;
}

/** How equal scores are ordered: by the place of the entry in its auction (lowest advertiser first), or by a hash of auction and advertiser. */
export type TieRule = 'index' | { readonly seed: number };

/**
 * The rules of every auction. An entry's score is factor · bid + boost; scores rank, and each price is the least bid that keeps the place.
 */
export interface AuctionRules {
  readonly format: AuctionFormat;
  /** Bids below it are dropped and no price is lower: one for all, or shape (auctions,), ≥ 0. Default 0. */
  readonly reserve?: number | Float64Array | undefined;
  /** Added to the score, in money, shape (entries,), ≥ 0. Default 0. */
  readonly boosts?: Float64Array | undefined;
  /** Multiplies bids into scores, shape (entries,), > 0. Default 1. */
  readonly factors?: Float64Array | undefined;
  /** Owner of each advertiser, shape (advertisers,): entries of one owner never set each other's price. Default: each its own. */
  readonly owners?: Uint32Array | undefined;
  /** Default 'index'. */
  readonly ties?: TieRule | undefined;
}

/** What an advertiser's bidder is after. */
export type Bidder =
  /** Most value with spend ≤ value and spend ≤ budget. */
  | { readonly kind: 'value'; readonly budget?: number | undefined }
  /** Most value − spend with spend ≤ budget. */
  | { readonly kind: 'utility'; readonly budget?: number | undefined }
  /** Bids multiplier · value everywhere, whatever comes. */
  | { readonly kind: 'fixed'; readonly multiplier: number }
  /** Bids the same money everywhere: a fixed cost a click. */
  | { readonly kind: 'manual'; readonly bid: number };

/** A market with everything that bidders face in it. */
export interface Setting {
  readonly market: Market;
  readonly buckets: Buckets;
  readonly rules: AuctionRules;
  /** Shape (advertisers,). Default: all `{ kind: 'value' }` without budget. */
  readonly bidders?: readonly Bidder[] | undefined;
  /** Cap of multipliers, ≥ 1. Default 10. */
  readonly maxMultiplier?: number | undefined;
}

/**
 * One multiplier μ ≥ 0 for each advertiser and bucket, shape (advertisers · K,), row-major; NaN where the bucket holds no entry of the
 * advertiser (null in JSON). Rows of `manual` bidders are not read.
 */
export type Profile = Float64Array;

/** A mixed strategy: one row of multipliers is drawn, for all auctions at once. */
export interface MixedStrategy {
  /** Shape (support,), > 0, sum 1. */
  readonly weights: Float64Array;
  /** Shape (support · K,), row-major: multipliers of each row of the support. */
  readonly multipliers: Float64Array;
}

/** Strategies of all advertisers, drawn independently of each other, shape (advertisers,). A pure profile has support 1 everywhere. */
export type MixedProfile = readonly MixedStrategy[];

/** What each advertiser got. */
export interface AdvertiserTotals {
  /** V: Σ δ v over the slots won, shape (advertisers,), money. */
  readonly value: Float64Array;
  /** P: Σ payments, shape (advertisers,), money. */
  readonly spend: Float64Array;
  /** Slots won, shape (advertisers,). */
  readonly wins: Float64Array;
}

/** What a profile does to everybody. */
export interface MarketOutcome {
  readonly totals: AdvertiserTotals;
  /** Σ V, or liquid welfare Σ min(V, budget) where there are budgets. */
  readonly welfare: number;
  /** Σ P. */
  readonly profit: number;
  /** The most welfare any allocation has: W*, exact without budgets, else an upper bound. */
  readonly optimum: number;
}

/**
 * What one advertiser would get at every multiplier of every bucket, all others' bids fixed: step functions.
 *
 * Step t of bucket k (bucketOffsets[k] ≤ t < bucketOffsets[k + 1], thresholds ascending within a bucket): bidding above thresholds[t] (at it,
 * for first price: the tie counts as won) gives value[t] and costs spend[t], in this bucket alone. Below the first threshold both are 0.
 */
export interface Landscape {
  /** Shape (K + 1,). */
  readonly bucketOffsets: Uint32Array;
  /** Multipliers, > 0 or 0 where nobody competes, ≤ maxMultiplier. */
  readonly thresholds: Float64Array;
  /** V_k at each step, cumulative, non-decreasing within a bucket. */
  readonly value: Float64Array;
  /** P_k at each step; in first price threshold · value. */
  readonly spend: Float64Array;
  /** Entries of the advertiser in each bucket, shape (K,). Left out: not known; a bucket without steps then counts as one without entries. */
  readonly entries?: Uint32Array | undefined;
  /**
   * Steps that share their threshold with another: a bid exactly there may pass one and not the other, which no step tells. 0 where values have
   * no ties.
   */
  readonly shared?: number | undefined;
}

/** A best response and what it gives, as promised by the landscape. */
export interface Response {
  /**
   * Shape (K,): the thresholds chosen (10⁻⁹ or less for a threshold of 0); 0 where nothing is bid, NaN where the bucket holds no entry. In first
   * price a value bidder without budget and with entries in one bucket bids 1.
   */
  readonly multipliers: Float64Array;
  readonly value: number;
  readonly spend: number;
  /** No single response has more value (value bidders) or utility (utility bidders): what the search proved, at most the linear relaxation. */
  readonly upperBound: number;
  /** λ of the target's constraint at the relaxation's optimum; 0 when the target does not bind. */
  readonly multiplierOfTarget: number;
  /** Neither target nor budget binds: everything worth having up to the cap is taken. */
  readonly unconstrained: boolean;
}

/** One advertiser's part of a certificate of equilibrium. */
export interface AdvertiserRegret {
  readonly value: number;
  readonly spend: number;
  /** Objective of the best deviation found, others fixed; ≥ own objective. */
  readonly best: number;
  /** No deviation has more: equal to `best` where the search for it was exact. */
  readonly bestBound: number;
  /** best ÷ own objective − 1, ≥ 0 (0 where both are 0): by how much a deviation is known to raise it. */
  readonly regret: number;
  /** bestBound ÷ own objective − 1: by no more than this can any deviation raise it. */
  readonly regretBound: number;
  /** max(0, spend ÷ value − 1): by how much the target is missed. */
  readonly overspend: number;
  /** A deviation that reaches `best`, shape (K,). */
  readonly deviation: Float64Array;
}

/** ε of an ε-equilibrium. Advertisers that bid by rule (`fixed`, `manual`) have no regret. */
export interface EquilibriumGap {
  readonly advertisers: readonly AdvertiserRegret[];
  /** Largest regret. */
  readonly maxRegret: number;
  /** Mean regret weighted by value: Σ (best − own) ÷ Σ own. */
  readonly meanRegret: number;
  /** The same of `regretBound`: what is certified. */
  readonly maxRegretBound: number;
  readonly meanRegretBound: number;
  /** Largest overspend. */
  readonly maxOverspend: number;
  /** Steps of landscapes that share their threshold: deviations that bid exactly there are not looked at. Left out: not counted. */
  readonly sharedThresholds?: number | undefined;
}
