// How well a model predicts a text: exp of the mean negative log-likelihood of its tokens, in nats.

import { InvalidArgumentError } from '../../core/errors.ts';
import { type RunOptions, yieldToEventLoop } from '../../core/progress.ts';
import { decodeStep } from '../engine/decode-step.ts';
import type { LanguageModel, SequenceOptions } from '../engine/language-model.ts';
import { type PrefillOptions, prefill } from '../engine/prefill.ts';

export interface PerplexityOptions extends RunOptions, SequenceOptions {
  /** How layers attend while tokens are read at once. Default 'exact'. */
  attention?: PrefillOptions['attention'];
  /**
   * Tokens that are read at once and not scored; the rest then follow one by one, predicted from what the caches kept. Default: all are read at
   * once, and all but the first scored, whatever the cache.
   */
  prefix?: number;
}

export interface PerplexityResult {
  perplexity: number;
  /** Mean of −ln p, nats a token, and its standard error as if tokens were independent; Infinity for one token. */
  nats: number;
  standardError: number;
  /** Tokens scored. */
  tokens: number;
}

/**
 * Perplexity of tokens under a model.
 *
 * @param tokens - at least 2 more than `prefix`; as a rule the first is the model's bos
 * @throws {InvalidArgumentError} too few tokens, or one beyond the vocabulary
 *
 * Time as `prefill`, and a decode step for each token after the prefix. Sums in float64.
 */
export async function perplexity(
  model: LanguageModel,
  tokens: ArrayLike<number>,
  { attention = 'exact', prefix, signal, onProgress, ...kept }: PerplexityOptions = {},
): Promise<PerplexityResult> {
  const first = prefix ?? 0;
  if (!(Number.isInteger(first) && first >= 0 && tokens.length >= first + 2)) {
    throw new InvalidArgumentError(
      `perplexity: ${tokens.length} tokens with a prefix of ${first}; expected at least 2 after it. Take a longer text.`,
    );
  }
  const { vocabulary } = model.config;
  const losses: number[] = [];
  const score = (logits: Float32Array, next: number) => losses.push(negativeLogLikelihood(logits, next));
  const sequence = model.createSequence(prefix === undefined ? {} : kept);
  if (prefix === undefined) {
    await prefill(model, sequence, tokens, {
      ...{ attention, signal, onProgress },
      logits: (start, rows, logits) => {
        for (let row = 0; row < rows && start + row + 1 < tokens.length; row++)
          score(logits.subarray(row * vocabulary, (row + 1) * vocabulary), tokens[start + row + 1]);
      },
    });
    return summary(losses);
  }
  const read = Array.prototype.slice.call(tokens, 0, Math.max(1, prefix)) as number[];
  let logits = await prefill(model, sequence, read, { attention, signal, onProgress });
  for (let i = read.length; i < tokens.length; i++) {
    await yieldToEventLoop(); // steps of small models never leave it, and Ctrl-C would not be heard
    signal?.throwIfAborted();
    onProgress?.({ phase: 'predicting', done: i - read.length, total: tokens.length - read.length });
    score(logits as Float32Array, tokens[i]);
    if (i + 1 < tokens.length) logits = await decodeStep(model, [sequence], [tokens[i]]);
  }
  return summary(losses);
}

/** −ln softmax(logits)[token], in nats. */
export function negativeLogLikelihood(logits: Float32Array, token: number): number {
  let most = -Infinity;
  for (const x of logits) most = Math.max(most, x);
  let sum = 0;
  for (const x of logits) sum += Math.exp(x - most);
  return Math.log(sum) + most - logits[token];
}

function summary(losses: readonly number[]): PerplexityResult {
  const nats = losses.reduce((sum, x) => sum + x, 0) / losses.length;
  const variance = losses.reduce((sum, x) => sum + (x - nats) ** 2, 0) / (losses.length - 1);
  return {
    ...{ perplexity: Math.exp(nats), nats, tokens: losses.length },
    standardError: losses.length > 1 ? Math.sqrt(variance / losses.length) : Infinity,
  };
}
