// Key-value caches that keep a sequence's attention within a budget of memory (arXiv 2402.06082 and its rivals).

export { allocateBudgets, type LossCurve } from './allocate-budgets.ts';
export { auditAnswers } from './audited-answers.ts';
export type { BudgetOptions } from './budget.ts';
export { type CertifiedAttendOptions, certifiedAttend } from './certified-attend.ts';
export { type ClusterCount, centerLossCurve, clusterability } from './clusterability.ts';
export {
  type ComparedPolicy,
  type CompareOptions,
  type ComparisonRow,
  comparePolicies,
  withinBytes,
} from './compare.ts';
export { CACHE_POLICIES, type CacheOptions, createCache, restoreCache } from './create-cache.ts';
export { type OracleAnswer, oracleAnswer, type TokenStream } from './oracle.ts';
export type {
  AppendOptions,
  CacheAnswers,
  CacheAttention,
  CacheBytes,
  CacheInterval,
  CachePolicy,
  CacheShape,
  KeptToken,
  KeyValueCache,
} from './types.ts';
