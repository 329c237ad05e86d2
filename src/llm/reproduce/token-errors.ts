// How far a model's predictions are off, token by token, when its prompt was read approximately or its caches forget.

import { type RunOptions, yieldToEventLoop } from '../../core/progress.ts';
import { decodeStep } from '../engine/decode-step.ts';
import type { LanguageModel, SequenceOptions } from '../engine/language-model.ts';
import { type PrefillOptions, prefill } from '../engine/prefill.ts';
import { largestLogit, logSumExp } from '../sampling/logits.ts';

export interface Reading extends SequenceOptions {
  attention?: PrefillOptions['attention'];
}

/** One prediction held against the exact one. */
export interface TokenError {
  /** Σ p ln(p / q) of the exact p and the approximate q, nats. */
  divergence: number;
  /** max |Δlogit|, each shifted to have its ln Σ e^logit at 0: a constant changes no prediction. */
  logitError: number;
  /** The most likely token is the same. */
  agrees: boolean;
}

/**
 * Predictions of what follows a prompt, by each way of reading it, along the same tokens.
 *
 * @param tokens - prompt and what follows @param prompt - tokens of the prompt, ≥ 1
 * @returns for each reading one error a token that follows, the first right after the prompt
 *
 * Time: a prefill of all tokens, one of the prompt for each reading, and a decode step of all readings together a token.
 */
export async function tokenErrors(
  model: LanguageModel,
  tokens: ArrayLike<number>,
  prompt: number,
  readings: readonly Reading[],
  { signal }: RunOptions = {},
): Promise<TokenError[][]> {
  const { vocabulary } = model.config;
  const all = Array.from(tokens);
  const exact: Float32Array[] = [];
  await prefill(model, model.createSequence(), all.slice(0, -1), {
    signal,
    logits: (start, rows, logits) => {
      for (let row = 0; row < rows; row++)
        if (start + row >= prompt - 1) exact.push(logits.slice(row * vocabulary, (row + 1) * vocabulary));
    },
  });
  const errors: TokenError[][] = readings.map(() => []);
  const sequences = readings.map((reading) => model.createSequence(reading));
  for (const [i, sequence] of sequences.entries()) {
    const { attention = 'exact' } = readings[i];
    const logits = await prefill(model, sequence, all.slice(0, prompt), { attention, signal });
    errors[i].push(tokenError(exact[0], logits as Float32Array));
  }
  for (let at = prompt; at + 1 < all.length; at++) {
    await yieldToEventLoop();
    signal?.throwIfAborted();
    const logits = await decodeStep(
      model,
      sequences,
      sequences.map(() => all[at]),
    );
    errors.forEach((own, i) => {
      own.push(tokenError(exact[at - prompt + 1], logits.subarray(i * vocabulary, (i + 1) * vocabulary)));
    });
  }
  return errors;
}

/** @param exact - logits, and `approximate` ones, shape (vocabulary,) */
export function tokenError(exact: Float32Array, approximate: Float32Array): TokenError {
  const [likeliest, chosen] = [exact, approximate].map((logits) => largestLogit('tokenError', logits));
  const a = logSumExp(exact, exact[likeliest]);
  const b = logSumExp(approximate, approximate[chosen]);
  let [divergence, logitError] = [0, 0];
  for (let i = 0; i < exact.length; i++) {
    const difference = exact[i] - a - (approximate[i] - b);
    divergence += Math.exp(exact[i] - a) * difference;
    logitError = Math.max(logitError, Math.abs(difference));
  }
  // Rounding may bring a sum that is never negative below 0.
  return { divergence: Math.max(0, divergence), logitError, agrees: likeliest === chosen };
}
