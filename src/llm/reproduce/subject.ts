// What the protocols of language models run on: a model, and texts in pieces that it can read.

import type { HyperOptions } from '../../attention/index.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import type { ProtocolOptions } from '../../reproduce/protocol.ts';
import type { OpenedModel } from '../open-language-model.ts';

/** A model under test. */
export interface Subject extends OpenedModel {
  /** "tiny-lm". */
  name: string;
}

export interface NamedText {
  /** "Brown corpus". */
  name: string;
  text: string;
}

export interface TextProtocolOptions extends ProtocolOptions {
  subject: Subject;
  text: NamedText;
}

/** As many tokens as a protocol reads at once, unless told otherwise: the model's context, at most 2048. */
export function defaultTokens({ model }: Subject): number {
  return Math.min(model.config.context, 2048);
}

/**
 * HyperAttention for n tokens in the proportions of the paper's 32k with b = m = 256 and n₀ = 4096, but with larger blocks, as texts here are short:
 * b = m the power of two nearest to n / 16, n₀ = 2b (128 and 256 for 2048).
 */
export function hyperFor(tokens: number): HyperOptions & { blockSize: number; minSequence: number } {
  const blockSize = 2 ** Math.max(0, Math.round(Math.log2(tokens / 16)));
  return { blockSize, sampleSize: blockSize, minSequence: 2 * blockSize };
}

/**
 * Consecutive pieces of a text, `tokens` tokens each.
 *
 * @throws {InvalidArgumentError} the text is too short for them
 */
export function piecesOf(
  { tokenizer }: Subject,
  { name, text }: NamedText,
  tokens: number,
  count: number,
): Uint32Array[] {
  const all = tokenizer.encode(text);
  if (all.length < tokens * count) {
    throw new InvalidArgumentError(
      `text "${name}" has ${all.length} tokens; expected at least ${tokens * count}, ${count} pieces of ${tokens}. Take a longer text.`,
    );
  }
  return Array.from({ length: count }, (_, i) => all.subarray(i * tokens, (i + 1) * tokens));
}
