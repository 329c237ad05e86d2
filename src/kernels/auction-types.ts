// The task behind markets of position auctions: who wins which slot at what price, for many auctions at once.

/** Auctions whose sums are taken alone before they go to the totals, in order: the same bits for any number of threads. */
export const AUCTIONS_PER_CHUNK = 8192;

/** An entry that is none: a slot left empty. */
export const NO_ENTRY = 0xffffffff;

/** Bids in position auctions, in compressed rows, and what ranks and prices them. */
export interface AuctionBids {
  /** Entries of auction j are offsets[j] … offsets[j + 1] − 1; shape (auctions + 1,), ascending. */
  offsets: Uint32Array;
  /** Advertiser of each entry, shape (entries,). */
  advertiserOf: Uint32Array;
  /** Finite and ≥ 0, shape (entries,); 0 takes no part. */
  bids: Float64Array;
  /** Bids below it take no part and no price is lower: one for all, or shape (auctions,), ≥ 0. */
  reserve: number | Float64Array;
  /** A score is factor · bid + boost. Shape (entries,), > 0. Default: ones. */
  factors?: Float64Array | undefined;
  /** Shape (entries,), ≥ 0. Default: zeros. */
  boosts?: Float64Array | undefined;
  /** Entries of one owner set no price for each other, shape (advertisers,). Default: each advertiser its own. */
  owners?: Uint32Array | undefined;
  /** Whether an owner may have several entries in an auction. */
  grouped: boolean;
  /** Equal scores go by a hash of (seed, auction, advertiser), then by entry. Default: by entry alone. */
  tieSeed?: number | undefined;
}

/** Runs auctions first … end − 1 and adds up what everybody gets. The same bits from every backend. */
export interface AuctionsTask extends AuctionBids {
  format: 'fpa' | 'gsp' | 'vcg';
  /** δ, shape (slots,): 1 ≥ δ₁ ≥ … > 0. */
  discounts: Float64Array;
  /** What slot 1 is worth, shape (entries,). */
  values: Float64Array;
  advertisers: number;
  /** A multiple of AUCTIONS_PER_CHUNK. */
  first: number;
  end: number;
  /** Added to, shape (advertisers,) each: Σ δ v and Σ payments over the slots won, and their number. */
  value: Float64Array;
  spend: Float64Array;
  wins: Float64Array;
  /**
   * Added to: auctions where equal scores of different owners decided a slot or its price, slots sold. Shape (2,). NaN when a winner is no
   * advertiser of the market: the call then fails.
   */
  counts: Float64Array;
  /** Receives the entry that wins each slot, NO_ENTRY where it stays empty, shape ((end − first) · slots,). Left out: not asked for. */
  winners?: Uint32Array | undefined;
  /** Receives what each slot is sold for, 0 where it is not, shape ((end − first) · slots,). Left out: not asked for. */
  payments?: Float64Array | undefined;
}

/**
 * The least bids that take a slot, others fixed: thresholds[e · slots + s] = max(reserve, (C_s − boost) ÷ factor), C_s the s-th largest score
 * of the auction's other owners (0 where there is none). It is also what slot s costs in GSP, before its discount.
 */
export interface ThresholdsTask extends AuctionBids {
  slots: number;
  first: number;
  end: number;
  /** Receives the thresholds of entries offsets[first] … offsets[end] − 1, descending for each, shape (their number · slots,). */
  thresholds: Float64Array;
}

export interface AuctionKernels {
  /** O(entries · slots) at worst. */
  runAuctions(task: AuctionsTask): Promise<void>;
  /** O(entries · slots). */
  bidThresholds(task: ThresholdsTask): Promise<void>;
}
