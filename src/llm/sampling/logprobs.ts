// ln p of tokens under the model's own distribution: what the OpenAI API reports as logprobs.

import type { TokenProbability } from './distribution.ts';
import { largestIndices } from './largest.ts';
import { type Logits, logSumExp } from './logits.ts';

/**
 * @param logits - shape (V,), as the model gave them, checked
 * @param best - index of the largest
 * @param chosen - the token that was taken; it need not be among the most likely
 * @param count - how many of the most likely to report
 *
 * Time O(V): one exponential each.
 */
export function reportLogprobs(
  logits: Logits,
  best: number,
  chosen: number,
  count: number,
): { logprob: number; top: TokenProbability[] } {
  const normaliser = logSumExp(logits, logits[best]);
  const top = Array.from(largestIndices(logits, count), (id) => ({ id, logprob: logits[id] - normaliser }));
  return { logprob: logits[chosen] - normaliser, top };
}
