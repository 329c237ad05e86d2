export {
  distributionFromLogits,
  distributionFromLogProbabilities,
  type TokenDistribution,
  type TokenProbability,
} from './distribution.ts';
export type { Logits } from './logits.ts';
export type { SamplingOptions } from './options.ts';
export { createSampler, type SampledToken, type Sampler, type SamplerOptions } from './sampler.ts';
