// Auctions between autobidders: markets, formats, best responses and certified equilibria.

export type { EntryBids } from './auction/auction-bids.ts';
export {
  type AuctionDetails,
  type AuctionDetailsOptions,
  auctionBatches,
  auctionDetails,
} from './auction/auction-details.ts';
export { type OracleAuction, oracleAuction, oracleMinimumBid } from './auction/oracle.ts';
export {
  type AuctionsOutcome,
  type RunAuctionsOptions,
  runAuctions,
  welfareOf,
} from './auction/run-auctions.ts';
export {
  type BoundHere,
  boostStrength,
  type Condition,
  checkRatio,
  type Provenance,
  type RatioCheck,
  WELFARE_BOUNDS,
  type WelfareBound,
  type WorstCase,
  worstCaseRatio,
} from './bounds/index.ts';
export {
  type DynamicsName,
  type Equilibrium,
  equilibriumGap,
  type FindEquilibriumOptions,
  findEquilibrium,
  type IterationRecord,
  type WhatIf,
  type WhatIfOptions,
  type WhatIfPoint,
  whatIf,
} from './equilibrium/index.ts';
export { type FirstPricePacing, firstPricePacing } from './fppe/index.ts';
export {
  type BoostBoundOptions,
  type BoostPolicy,
  boostBound,
} from './frontier/boost-bound.ts';
export {
  type FrontierCurve,
  type FrontierOptions,
  type FrontierPoint,
  frontier,
} from './frontier/frontier.ts';
export { FRONTIER_POLICIES, type FrontierPolicy, withPolicy } from './frontier/policies.ts';
export { type WelfareGuarantee, welfareGuarantee } from './frontier/welfare-guarantee.ts';
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
export {
  AUCTION_NET_DISCOUNTS,
  type AuctionNetColumns,
  type AuctionNetLog,
  type ImportAuctionNetOptions,
  importAuctionNet,
} from './import/auction-net.ts';
export {
  type BatBuckets,
  type BatCampaigns,
  type BatLandscape,
  type BatLandscapeOptions,
  type BatStatistics,
  batCampaign,
  batLandscape,
} from './import/bat.ts';
export type { DroppedRows } from './import/drops.ts';
export {
  type ImportedLog,
  type ImportLogOptions,
  type ImportReport,
  importLog,
  type RecordedBehaviour,
} from './import/import-log.ts';
export { type Cell, LOG_COLUMN_NAMES, type LogColumn, type LogColumns } from './import/log-columns.ts';
export { type RecordedProfile, recordedProfile } from './import/recorded-profile.ts';
export {
  type EntryIndex,
  exactLandscapes,
  gridLandscapes,
  indexEntries,
  landscapeOf,
  type MultiplierGrid,
  type MultiplierGridOptions,
  multiplierGrid,
} from './landscape/index.ts';
export {
  type BucketExternality,
  bucketExternality,
  type HeldOut,
  type HoldOut,
  type HoldOutOptions,
  holdOutBuckets,
  type LearnBucketsOptions,
  type LearnedBuckets,
  learnBuckets,
  type Outcome,
} from './learned-buckets/index.ts';
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
export {
  expectedLandscape,
  findMixedEquilibrium,
  jointGap,
  MIXED_METHODS,
  type MixedEquilibrium,
  type MixedEquilibriumOptions,
  type MixedMethod,
  type MixedOutcome,
  mixedGap,
  mixedWhatIf,
} from './mixed/index.ts';
export { type BelievedMarket, type PredictionModel, withPredictionNoise } from './noise/prediction-noise.ts';
export {
  type PredictionPoint,
  type PredictionStudyOptions,
  predictionStudy,
} from './noise/prediction-study.ts';
export type { Change, ChangeVerdict } from './replay/change.ts';
export { type ReplayOptions, replay } from './replay/replay.ts';
export type { EquilibriumSolver, SolvedProfile, SolveOptions } from './replay/solve-world.ts';
export type {
  AdvertiserChange,
  Bootstrap,
  Replay,
  ReplayedWorld,
  ReplayWorld,
  WorldOutcome,
} from './replay/types.ts';
export type { AdvertiserVerdict } from './replay/winners.ts';
export {
  bestResponse,
  outcomeAt,
  type RelaxedResponse,
  type ResponseOptions,
  relaxedResponse,
} from './response/index.ts';
export {
  type Sweep,
  type SweepCell,
  type SweepColumn,
  type SweepComparison,
  type SweepGenerator,
  type SweepMeasure,
  type SweepOptions,
  type SweepSearch,
  sweep,
} from './sweep/index.ts';
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
