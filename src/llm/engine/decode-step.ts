// One token further, for several sequences at once: products with weights are shared, caches are each sequence's own.

import { InvalidArgumentError } from '../../core/errors.ts';
import type { LanguageModel } from './language-model.ts';
import type { Sequence } from './sequence.ts';

/**
 * Takes one token into each sequence.
 *
 * @param sequences - distinct
 * @param tokens - one a sequence
 * @returns logits of what comes next, shape (sequences, vocabulary), the caller's own
 * @throws {InvalidArgumentError} lengths differ, a sequence is given twice, or a token is beyond the vocabulary
 *
 * Time O(weights + Σ cached rows); bound by memory, so that a few sequences cost hardly more than one.
 */
export async function decodeStep(
  model: LanguageModel,
  sequences: readonly Sequence[],
  tokens: readonly number[],
): Promise<Float32Array> {
  const { config } = model;
  if (sequences.length !== tokens.length || new Set(sequences).size !== sequences.length) {
    throw new InvalidArgumentError(
      `decodeStep: ${sequences.length} sequences (${new Set(sequences).size} distinct) and ${tokens.length} tokens; expected one token for each of some distinct sequences.`,
    );
  }
  model.requireTokens('decodeStep', tokens);
  if (tokens.length === 0) return new Float32Array(0);
  const [queryWidth, keyWidth] = [config.heads * config.headDim, config.keyHeads * config.headDim];
  return model.exclusive(tokens.length, async (program) => {
    for (const sequence of sequences) sequence.requireWhole();
    for (const sequence of sequences) sequence.begin();
    program.place(sequences.map((sequence) => sequence.tokens.length));
    await program.embed(tokens);
    for (let layer = 0; layer < config.layers; layer++) {
      await program.run(layer);
      for (const [i, { caches }] of sequences.entries()) {
        const queries = program.queries.subarray(i * queryWidth, (i + 1) * queryWidth);
        const keys = program.keys.subarray(i * keyWidth, (i + 1) * keyWidth);
        const values = program.values.subarray(i * keyWidth, (i + 1) * keyWidth);
        await caches[layer].append(keys, values, { queries });
        const { output } = await caches[layer].attend(queries);
        program.attended.set(output, i * queryWidth);
      }
    }
    await program.run(config.layers);
    const logits = (await program.logits()).slice();
    sequences.forEach((sequence, i) => {
      sequence.end([tokens[i]]);
    });
    return logits;
  });
}
