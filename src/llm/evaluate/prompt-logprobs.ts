// How likely a model finds each token of a text, and what it would rather have said.

import { requireInteger } from '../../core/check.ts';
import type { RunOptions } from '../../core/progress.ts';
import type { LanguageModel } from '../engine/language-model.ts';
import { type PrefillOptions, prefill } from '../engine/prefill.ts';
import type { TokenProbability } from '../sampling/index.ts';
import { largestLogit } from '../sampling/logits.ts';
import { reportLogprobs } from '../sampling/logprobs.ts';

export interface PromptLogprob {
  /** ln p of the token after those before it. */
  logprob: number;
  /** The most likely tokens in its place, most likely first. */
  top: TokenProbability[];
}

/**
 * @param tokens - at least one
 * @param count - how many of the most likely tokens to report
 * @returns one for each token but the first, shape (tokens − 1,)
 * @throws {InvalidArgumentError} no tokens, a token beyond the vocabulary, or a count beyond it
 *
 * Time as `prefill` with the logits of every token.
 */
export async function promptLogprobs(
  model: LanguageModel,
  tokens: ArrayLike<number>,
  count: number,
  { attention = 'exact', ...run }: Pick<PrefillOptions, 'attention'> & RunOptions = {},
): Promise<PromptLogprob[]> {
  const { vocabulary } = model.config;
  requireInteger('promptLogprobs: count', count, 0, vocabulary);
  const result: PromptLogprob[] = [];
  await prefill(model, model.createSequence(), tokens, {
    ...{ ...run, attention },
    logits: (start, rows, all) => {
      for (let row = 0; row < rows && start + row + 1 < tokens.length; row++) {
        const logits = all.subarray(row * vocabulary, (row + 1) * vocabulary);
        const best = largestLogit('promptLogprobs', logits);
        result.push(reportLogprobs(logits, best, tokens[start + row + 1], count));
      }
    },
  });
  return result;
}
