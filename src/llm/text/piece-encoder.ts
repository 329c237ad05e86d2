// Tokens of plain text. The one place that touches @huggingface/tokenizers, which normalises texts, cuts them into words
// and knows what goes around them; words are then merged by our own model.

import { Tokenizer as LibraryTokenizer } from '@huggingface/tokenizers';
import { DataError } from '../../core/errors.ts';
import type { BpeModel } from './bpe-model.ts';

/** The parts of a tokenizer.json that come before and after the merging. */
export interface TextPipeline {
  normalizer: object | null;
  pre_tokenizer: object | null;
  post_processor: object | null;
}

/** What is used of the library's tokenizer. Its own declarations lack file extensions, so that TypeScript reads none. */
interface LibraryParts {
  normalizer: { normalize(text: string): string } | null;
  pre_tokenizer: { pre_tokenize(text: string, options: { section_index: number }): string[] } | null;
  post_processor: PostProcessor | null;
}

interface PostProcessor {
  post_process(tokens: string[], pair: string[] | null, addSpecial: boolean): { tokens: string[] };
}

export interface PieceEncoder {
  /**
   * Appends the ids of a piece of plain text.
   * @param section - number of the piece in its text: some vocabularies mark only the first
   */
  encode(text: string, section: number, out: number[]): void;
  /** Tokens that the post-processor adds around a text. */
  around: { before: string[]; after: string[] };
}

/** @param where - names the source in errors @throws {DataError} the library cannot make sense of the pipeline */
export function createPieceEncoder(where: string, pipeline: TextPipeline, model: BpeModel): PieceEncoder {
  let library: LibraryParts;
  try {
    // Added tokens stay with us: the library always parses special ones, which a user's text must not reach.
    const nothing = { model: { type: 'BPE', vocab: {}, merges: [] }, decoder: null, added_tokens: [] };
    library = new LibraryTokenizer({ ...pipeline, ...nothing }, {});
  } catch (error) {
    throw new DataError(
      `${where}: ${(error as Error).message}; expected a tokenizer that @huggingface/tokenizers reads.`,
      { cause: error },
    );
  }
  const { normalizer, pre_tokenizer, post_processor } = library;
  return {
    encode(text, section, out) {
      const normal = normalizer === null ? text : normalizer.normalize(text);
      if (pre_tokenizer === null) {
        model.encode(normal, out);
        return;
      }
      for (const word of pre_tokenizer.pre_tokenize(normal, { section_index: section }))
        model.encode(word, out);
    },
    around: tokensAround(post_processor),
  };
}

function tokensAround(processor: PostProcessor | null): { before: string[]; after: string[] } {
  if (processor === null) return { before: [], after: [] };
  const text = '\0';
  const { tokens } = processor.post_process([text], null, true);
  const at = tokens.indexOf(text);
  return { before: tokens.slice(0, at), after: tokens.slice(at + 1) };
}
