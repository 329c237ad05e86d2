// Auctions between autobidders: markets, formats, best responses and certified equilibria.

export type { EntryBids } from './auction/auction-bids.ts';
export {
  type AuctionsOutcome,
  type RunAuctionsOptions,
  runAuctions,
  welfareOf,
} from './auction/run-auctions.ts';
export {
  type GammaTopicGeneratorOptions,
  type GammaTopicMarket,
  type GammaTopicParameters,
  gammaTopicGenerator,
} from './generators/gamma-topic-generator.ts';
export type {
  CommonGeneratorOptions,
  CommonParameters,
  GeneratedMarket,
  GeneratorRecord,
} from './generators/generated.ts';
export { type PoaInstance, poaInstance } from './generators/poa-instance.ts';
export {
  type ProvablyGeneratorOptions,
  type ProvablyMarket,
  type ProvablyParameters,
  provablyGenerator,
} from './generators/provably-generator.ts';
export { type EntryIndex, exactLandscapes, indexEntries, landscapeOf } from './landscape/index.ts';
export {
  type LabelBucketsOptions,
  type LabelledBuckets,
  labelBuckets,
  requireNestedLevels,
  topicBuckets,
  valueBuckets,
} from './market/buckets.ts';
export { checkSetting, DEFAULT_MAX_MULTIPLIER } from './market/check-setting.ts';
export {
  type CreateMarketOptions,
  createMarket,
  type MarketOfRows,
  type MarketRows,
} from './market/create-market.ts';
export { liquidOptimumBound, optimalWelfare } from './market/optimal-welfare.ts';
export { profileBids } from './market/profile-bids.ts';
export { uniformBuckets } from './market/uniform-buckets.ts';
export { bestResponse, outcomeAt, type ResponseOptions } from './response/index.ts';
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
export {
  type Claims,
  type Fingerprint,
  type Json,
  type MarketSource,
  type Objection,
  parseSavedProfile,
  type RestoredProfile,
  restoreProfile,
  type SavedClaims,
  type SavedMarket,
  type SavedProfile,
  type SavedStrategy,
  saveProfile,
  type Verification,
  type VerifyOptions,
  verifyProfile,
} from './verify/index.ts';
