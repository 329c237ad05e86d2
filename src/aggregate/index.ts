export {
  type Bags,
  bagCount,
  bagMeans,
  bagMembers,
  bagOfEach,
  bagSize,
  bagsFromLists,
  requireBags,
} from './bags/bags.ts';
export {
  discreteLaplaceTail,
  discreteLaplaceVariance,
  type NoiseScale,
  noiseScale,
  sampleDiscreteLaplace,
} from './privacy/discrete-laplace.ts';
export {
  type AnsweredEntry,
  type LedgerDecision,
  type LedgerOptions,
  type LedgerState,
  ledgerFromJSON,
  PrivacyLedger,
} from './privacy/ledger.ts';
export { type LocalQueryOptions, localBagQuery } from './privacy/local-query.ts';
export { NoisePool } from './privacy/noise-pool.ts';
export { type RandomBits, type SecureBits, secureBits, seededBits } from './privacy/random-bits.ts';
export { type PrivateRelease, type ReleaseOptions, releaseBagMeans } from './privacy/release.ts';
export { type SimulatedRelease, type SimulateOptions, simulateBagMeans } from './privacy/simulate.ts';
export type {
  AggregatorAnswer,
  AggregatorInfo,
  AggregatorQuery,
  AnsweredBag,
  RefusalReason,
  SampleId,
} from './protocol.ts';
export { RefusedError } from './refused-error.ts';
export type {
  AggregateData,
  AggregateModel,
  BagAnswers,
  BagQuery,
  Family,
  FitOptions,
  Learner,
  ModelState,
} from './types.ts';
