// A text as one vector: the model's final states, pooled.

import { requireOneOf } from '../../core/check.ts';
import { NumericalError } from '../../core/errors.ts';
import type { RunOptions } from '../../core/progress.ts';
import type { LanguageModel } from './language-model.ts';
import { prefill } from './prefill.ts';

export interface EmbedOptions extends RunOptions {
  /**
   * 'mean' of all tokens' states, or the state of the 'last' token, which alone has seen the whole text; take what the model was trained for.
   * Default 'mean'.
   */
  pooling?: 'mean' | 'last';
}

/**
 * The normed final states of tokens, pooled and scaled to length 1.
 *
 * @param tokens - at least one
 * @returns shape (hidden,)
 * @throws {InvalidArgumentError} no tokens, or a token beyond the vocabulary
 * @throws {NumericalError} the pooled state is 0 or not finite
 *
 * Time and memory as `prefill`, exact attention. Sums in float64.
 */
export async function embed(
  model: LanguageModel,
  tokens: ArrayLike<number>,
  { pooling = 'mean', ...run }: EmbedOptions = {},
): Promise<Float32Array> {
  requireOneOf('embed: pooling', pooling, ['mean', 'last']);
  const { hidden } = model.config;
  const pooled = new Float64Array(hidden);
  await prefill(model, model.createSequence(), tokens, {
    ...run,
    states: (start, rows, states) => {
      const first = pooling === 'mean' ? 0 : Math.max(0, tokens.length - 1 - start);
      for (let row = first; row < rows; row++) {
        for (let i = 0; i < hidden; i++) pooled[i] += states[row * hidden + i];
      }
    },
  });
  const length = Math.hypot(...pooled);
  if (!(length > 0 && length < Infinity)) {
    throw new NumericalError(
      `embed: the pooled state has length ${length}; expected a finite number > 0. Check the model's weights.`,
    );
  }
  return Float32Array.from(pooled, (x) => x / length);
}
