// Which tokens end generation. Files name one (eos), chat models end their turns with another, so the rest are known by
// their spelling, as llama.cpp knows them.

import type { Vocabulary } from './vocabulary.ts';

const endings = new Set([
  '<|eot_id|>', // Llama 3: end of turn
  '<|eom_id|>', // Llama 3: end of message, a tool is to be called
  '<|end_of_text|>',
  '<|endoftext|>',
  '<|im_end|>', // ChatML: Qwen, SmolLM2
  '<|end|>', // Phi 3
  '<|return|>',
  '<|call|>',
  '<end_of_turn>', // Gemma
  '<eos>',
  '<EOT>',
  '[EOT]',
  '[EOS]',
  '</s>', // Llama 2, Mistral
  '<end_of_utterance>',
  '<｜end▁of▁sentence｜>', // DeepSeek
  '<|fim_pad|>', // Qwen: a file of a repository ends
  '<|repo_name|>',
  '<|file_sep|>',
]);

/**
 * Whether a token of this spelling ends generation. Some files list such a token among those that any text may hold; it is
 * syntax all the same, or a user's text could end a turn.
 */
export function isEnding(token: string): boolean {
  return endings.has(token);
}

/** @param named - ids that the model's files name, undefined ones left out */
export function endOfGenerationIds(
  vocabulary: Vocabulary,
  named: readonly (number | undefined)[],
): ReadonlySet<number> {
  const ids = new Set(named.filter((id) => id !== undefined));
  for (const token of endings) {
    const id = vocabulary.idOf(token);
    // A vocabulary may spell such a word as plain text; only syntax ends a generation.
    if (id !== undefined && vocabulary.kind(id) !== 'text') ids.add(id);
  }
  return ids;
}
