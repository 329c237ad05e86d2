// Auctions between autobidders: markets, formats, best responses and certified equilibria.

export {
  type AdvertiserRegret,
  type AdvertiserTotals,
  AUCTION_FORMATS,
  type AuctionFormat,
  type AuctionRules,
  type Bidder,
  type Buckets,
  type EquilibriumGap,
  type Landscape,
  type Market,
  type MarketOutcome,
  type MixedProfile,
  type MixedStrategy,
  type Profile,
  type Response,
  type Setting,
  type TieRule,
} from './types.ts';
