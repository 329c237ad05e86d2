// Tokenizers from a model's tokenizer.json and tokenizer_config.json, as the Hugging Face hub holds them.

import { DataError, UnsupportedError } from '../../core/errors.ts';
import type { AddedToken } from './added-tokens.ts';
import { BpeModel } from './bpe-model.ts';
import { endOfGenerationIds, isEnding } from './end-of-generation.ts';
import { createPieceEncoder } from './piece-encoder.ts';
import {
  exactPreTokenizer,
  type PipelinePart,
  prependScheme,
  readPart,
  requireExactNormalizer,
  shown,
  spelledMerge,
} from './pipeline-parts.ts';
import { PartsTokenizer } from './tokenizer.ts';
import type { Tokenizer } from './types.ts';
import { isByteSpelling, type Spelling, type TokenKind, Vocabulary } from './vocabulary.ts';

/** tokenizer.json, the parts read here. */
export interface TokenizerJson {
  model: {
    type?: string;
    vocab: Record<string, number>;
    merges: string[] | [string, string][];
    byte_fallback?: boolean;
    ignore_merges?: boolean;
    unk_token?: string | null;
    fuse_unk?: boolean;
    [key: string]: unknown;
  };
  added_tokens?: {
    id: number;
    content: string;
    special?: boolean;
    lstrip?: boolean;
    rstrip?: boolean;
    single_word?: boolean;
  }[];
  normalizer?: PipelinePart | null;
  pre_tokenizer?: PipelinePart | null;
  post_processor?: PipelinePart | null;
  decoder?: PipelinePart | null;
}

type NamedToken = string | { content: string } | null;

/** tokenizer_config.json, the parts read here. */
export interface TokenizerConfig {
  bos_token?: NamedToken;
  eos_token?: NamedToken;
  unk_token?: NamedToken;
  pad_token?: NamedToken;
  /** Whether texts begin with bos; where unsaid, the post-processor decides. */
  add_bos_token?: boolean | null;
  [key: string]: unknown;
}

export interface JsonTokenizerOptions {
  /** Ids that generation_config.json names as ends (eos_token_id), besides those known by name. Default none. */
  endOfGeneration?: readonly number[];
  /** Rows of the model's output, if more than the tokenizer has tokens: the rest get empty spellings. Default its own size. */
  vocabularySize?: number;
}

/**
 * The tokenizer of a tokenizer.json: BPE, byte-level or with SentencePiece spelling and byte fallback.
 *
 * Added tokens are matched in the text as given, before normalisation, leftmost and longest first.
 *
 * Decoding gives the bytes of the tokens, without the clean-up of spaces before punctuation that some configurations ask for.
 *
 * @throws {UnsupportedError} the model is no BPE, or a part is of a kind that is not read exactly (WordPiece, Precompiled, …)
 * @throws {DataError} parts are missing, or the library cannot read them
 *
 * Time and memory O(vocabulary).
 */
export function tokenizerFromJson(
  json: TokenizerJson,
  config: TokenizerConfig = {},
  { endOfGeneration = [], vocabularySize = 0 }: JsonTokenizerOptions = {},
): Tokenizer {
  const { model } = json;
  if (typeof model?.vocab !== 'object' || model.vocab === null) {
    throw new DataError('tokenizer.json: model.vocab is missing; expected an object of token to id.');
  }
  if ((model.type ?? 'BPE') !== 'BPE' || Array.isArray(model.vocab)) {
    throw new UnsupportedError(`tokenizer.json: model.type is ${shown(model.type)}; expected "BPE".`);
  }
  const decoding = decodingOf(readPart('decoder', json.decoder));
  const normalizer = readPart('normalizer', json.normalizer);
  requireExactNormalizer(normalizer);
  const added = addedTokens(json);
  const vocabulary = vocabularyOf(json, added, decoding.spelling, vocabularySize);
  const pipeline = {
    normalizer,
    pre_tokenizer: exactPreTokenizer(readPart('pre_tokenizer', json.pre_tokenizer)),
    post_processor: readPart('post_processor', json.post_processor),
  };
  const pieces = createPieceEncoder('tokenizer.json', pipeline, bpeModel(json));
  const named = (token: NamedToken | undefined): number | undefined => {
    const content = typeof token === 'object' ? token?.content : token;
    return content === undefined ? undefined : vocabulary.idOf(content);
  };
  const bos = named(config.bos_token);
  const eos = named(config.eos_token);
  return new PartsTokenizer({
    vocabulary,
    addedTokens: added,
    pieces,
    special: {
      bos,
      eos,
      unknown: named(config.unk_token),
      padding: named(config.pad_token),
      endOfGeneration: endOfGenerationIds(vocabulary, [eos, ...endOfGeneration]),
    },
    before: withBos(idsAround(pieces.around.before, vocabulary), bos, config.add_bos_token ?? undefined),
    after: idsAround(pieces.around.after, vocabulary),
    dropFirstSpace: decoding.dropFirstSpace,
  });
}

function addedTokens({ added_tokens = [] }: TokenizerJson): AddedToken[] {
  if (!Array.isArray(added_tokens))
    throw new DataError('tokenizer.json: added_tokens is no list; expected one. Fetch the file anew.');
  return added_tokens.map((token, i) => {
    if (typeof token?.content !== 'string' || token.content === '') {
      throw new DataError(
        `tokenizer.json: added_tokens[${i}].content is ${shown(token?.content)}; expected a text to look for.`,
      );
    }
    return {
      id: token.id,
      content: token.content,
      special: (token.special ?? false) || isEnding(token.content),
      lstrip: token.lstrip ?? false,
      rstrip: token.rstrip ?? false,
      singleWord: token.single_word ?? false,
    };
  });
}

function bpeModel({ model }: TokenizerJson): BpeModel {
  for (const part of ['continuing_subword_prefix', 'end_of_word_suffix', 'dropout'] as const) {
    if (model[part]) {
      throw new UnsupportedError(
        `tokenizer.json: model.${part} is ${shown(model[part])}; expected none, as in byte-level BPE.`,
      );
    }
  }
  const { merges, unk_token } = model;
  if (!Array.isArray(merges))
    throw new DataError('tokenizer.json: model.merges is missing; expected a list.');
  return new BpeModel(new Map(Object.entries(model.vocab)), merges.map(spelledMerge), {
    ignoreMerges: model.ignore_merges ?? false,
    byteFallback: model.byte_fallback ?? false,
    unknown: typeof unk_token === 'string' ? model.vocab[unk_token] : undefined,
    fuseUnknown: model.fuse_unk ?? false,
  });
}

function vocabularyOf(
  { model }: TokenizerJson,
  added: readonly AddedToken[],
  spelling: Spelling,
  atLeast: number,
): Vocabulary {
  const texts: string[] = [];
  const kinds: TokenKind[] = [];
  const entries = Object.entries(model.vocab);
  // Ids may have gaps, but a small file must not make a large table.
  const largest = 2 * (entries.length + added.length) + 65_536;
  const put = (id: number, text: string, kind: TokenKind): void => {
    if (!Number.isInteger(id) || id < 0 || id > largest) {
      throw new DataError(
        `tokenizer.json: the id of "${text}" is ${shown(id)}; expected an integer from 0 to ${largest}, for so many tokens.`,
      );
    }
    while (texts.length <= id) {
      texts.push('');
      kinds.push('unused');
    }
    texts[id] = text;
    kinds[id] = kind;
  };
  for (const [text, id] of entries) {
    put(id, text, model.byte_fallback && isByteSpelling(text) ? 'byte' : 'text');
  }
  for (const token of added) put(token.id, token.content, token.special ? 'special' : 'added');
  for (let id = texts.length; id < atLeast; id++) put(id, '', 'unused');
  return new Vocabulary(texts, kinds, spelling);
}

/** How tokens become text, told from the decoder's parts. */
function decodingOf(decoder: PipelinePart | null): { spelling: Spelling; dropFirstSpace: boolean } {
  const parts =
    decoder?.type === 'Sequence' ? (decoder.decoders as PipelinePart[]) : decoder ? [decoder] : [];
  const types = parts.map((part) => part.type);
  const strip = parts.find((part) => part.type === 'Strip');
  if (types.length === 1 && types[0] === 'ByteLevel')
    return { spelling: 'byte-level', dropFirstSpace: false };
  const metaspace = parts.find((part) => part.type === 'Metaspace');
  if (metaspace !== undefined) {
    return { spelling: 'sentencepiece', dropFirstSpace: prependScheme(metaspace) !== 'never' };
  }
  if (types.includes('ByteFallback') && types.includes('Replace')) {
    return { spelling: 'sentencepiece', dropFirstSpace: Number(strip?.start ?? 0) > 0 };
  }
  throw new UnsupportedError(
    `tokenizer.json: decoder is ${types.join(' + ') || 'missing'}; expected ByteLevel, Metaspace, or Replace + ByteFallback.`,
  );
}

function idsAround(tokens: readonly string[], vocabulary: Vocabulary): number[] {
  return tokens.map((token) => {
    const id = vocabulary.idOf(token);
    if (id === undefined) {
      throw new DataError(
        `tokenizer.json: post_processor adds "${token}"; expected a token of the vocabulary.`,
      );
    }
    return id;
  });
}

function withBos(before: number[], bos: number | undefined, wanted: boolean | undefined): number[] {
  if (bos === undefined || wanted === undefined || wanted === before.includes(bos)) return before;
  return wanted ? [bos, ...before] : before.filter((id) => id !== bos);
}
