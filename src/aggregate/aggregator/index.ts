export { type Aggregator, openAggregator } from './aggregator.ts';
export {
  type AuditEntry,
  answerDigest,
  type EntryKind,
  entryHash,
  type LogHead,
  queryDigest,
} from './audit-chain.ts';
export type { LabelTable } from './label-store.ts';
export type { AggregatorOptions } from './options.ts';
export { type LedgerReport, type VerifyOptions, verifyLedger } from './verify.ts';
