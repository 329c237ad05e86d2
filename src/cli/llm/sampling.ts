// The flags by which tokens are chosen.

import type { SamplingOptions } from '../../llm/index.ts';
import { given } from '../given.ts';

export interface SamplingFlags {
  temperature?: number;
  topK?: number;
  topP?: number;
  minP?: number;
  repetitionPenalty?: number;
  seed: number;
}

/** With the defaults of the command line: a little bolder than the model's own distribution. */
export function samplingOf(flags: SamplingFlags): SamplingOptions {
  const { temperature = 0.8, topK = 40, topP = 0.95, minP, repetitionPenalty, seed } = flags;
  return { temperature, topK, topP, seed, ...given({ minP, repetitionPenalty }) };
}
