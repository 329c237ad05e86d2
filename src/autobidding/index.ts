// Auctions between autobidders: markets, formats, best responses and certified equilibria.

export type { EntryBids } from './auction/auction-bids.ts';
export {
  type AuctionsOutcome,
  type RunAuctionsOptions,
  runAuctions,
  welfareOf,
} from './auction/run-auctions.ts';
export { checkSetting, DEFAULT_MAX_MULTIPLIER } from './market/check-setting.ts';
export {
  type CreateMarketOptions,
  createMarket,
  type MarketOfRows,
  type MarketRows,
} from './market/create-market.ts';
export { liquidOptimumBound, optimalWelfare } from './market/optimal-welfare.ts';
export { profileBids } from './market/profile-bids.ts';
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
