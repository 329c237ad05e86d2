// Attention: exact, and HyperAttention with a certificate (arXiv 2310.05869).

export { advisePatching, type PatchAdvice } from './advise.ts';
export { adjacencyProbability, collisionProbability, grayInverse } from './angular-hash.ts';
export { type AttentionMap, type AttentionMapOptions, attentionMap } from './attention-map.ts';
export { type AuditOptions, auditAttention, type MeasuredError, measureError } from './audit.ts';
export { attentionBackward, type InputGradients, type ResultGradient } from './backward.ts';
export { type AttentionDifference, compareAttention } from './compare.ts';
export { exactAttention } from './exact.ts';
export { type HeadReport, type HeadReportOptions, headReport } from './head-report.ts';
export { type HyperResult, hyperAttention } from './hyper.ts';
export { mergeAttention } from './merge.ts';
export type { HyperOptions } from './options.ts';
export { type OracleAttention, oracleAttention, oracleProbabilities } from './oracle.ts';
export { type TheoryOptions, theoryAttention } from './theory.ts';
export { type TuneOptions, type TuneResult, type TuneTrial, tuneAttention } from './tune.ts';
export type {
  AttentionInput,
  AttentionResult,
  BlockRule,
  BucketOrder,
  HeadTensor,
  HyperTrace,
  ResidualSampling,
  StoredHeadTensor,
} from './types.ts';
