// The one place that touches @huggingface/tokenizers: normalisation, pre-tokenisation and BPE of a piece of plain text.

import { Tokenizer as LibraryTokenizer } from '@huggingface/tokenizers';
import { DataError } from '../../core/errors.ts';

/** The parts of a tokenizer.json that concern plain text. */
export interface TextPipeline {
  normalizer: object | null;
  pre_tokenizer: object | null;
  post_processor: object | null;
  model: object;
}

/** Tokens of plain text, and of what a template puts around it. */
export interface PieceEncoder {
  /** @param section - number of the section in its text: some vocabularies mark only the first. */
  encode(text: string, section: number): string[];
  /** Tokens that the post-processor adds around a text. */
  around: { before: string[]; after: string[] };
  /** Gives every merge the rank that `rankOf` says; the library ranks them by their order. Equal ranks go left to right. */
  rankMerges(rankOf: (index: number) => number): void;
}

/** @param where - names the source in errors @throws {DataError} the library cannot make sense of the pipeline */
export function createPieceEncoder(where: string, pipeline: TextPipeline): PieceEncoder {
  let library: LibraryTokenizer;
  try {
    // Added tokens stay with us: the library always parses special ones, which a user's text must not reach.
    library = new LibraryTokenizer({ ...pipeline, decoder: null, added_tokens: [] }, {});
  } catch (error) {
    throw new DataError(
      `${where}: ${(error as Error).message}; expected a tokenizer that @huggingface/tokenizers reads.`,
      {
        cause: error,
      },
    );
  }
  const { normalizer, pre_tokenizer, post_processor, model } = library;
  if (model === null) throw new DataError(`${where}: no model; expected a tokenizer.json with "model".`);
  return {
    encode(text, section) {
      const normal = normalizer === null ? text : normalizer.normalize(text);
      const words =
        pre_tokenizer === null ? [normal] : pre_tokenizer.pre_tokenize(normal, { section_index: section });
      return model._call(words);
    },
    around: tokensAround(post_processor),
    rankMerges(rankOf) {
      // The library's queue orders by rank, then by place in the text, which is just what equal scores ask for.
      const ranks = (model as unknown as { bpe_ranks: Map<string, number> }).bpe_ranks;
      let index = 0;
      for (const key of ranks.keys()) ranks.set(key, rankOf(index++));
    },
  };
}

type PostProcessor = LibraryTokenizer['post_processor'];

function tokensAround(processor: PostProcessor): { before: string[]; after: string[] } {
  if (processor === null) return { before: [], after: [] };
  const text = '\0';
  const { tokens } = processor.post_process([text], null, true);
  const at = tokens.indexOf(text);
  return { before: tokens.slice(0, at), after: tokens.slice(at + 1) };
}
