// Tokenizers from GGUF metadata: byte-level BPE (tokenizer.ggml.model "gpt2") and SentencePiece BPE ("llama").

import { DataError, UnsupportedError } from '../../core/errors.ts';
import type { AddedToken } from './added-tokens.ts';
import { BpeModel } from './bpe-model.ts';
import { endOfGenerationIds, isEnding } from './end-of-generation.ts';
import {
  type MetadataSource,
  optionalBoolean,
  optionalId,
  optionalNumbers,
  optionalString,
  requireStrings,
} from './gguf-metadata.ts';
import { createPieceEncoder, type PieceEncoder } from './piece-encoder.ts';
import { spaceNormalizer, spelledMerge } from './pipeline-parts.ts';
import { byteLevelPreTokenizer, cutNamed } from './pre-tokenizers.ts';
import { mergesOfScores } from './score-merges.ts';
import { PartsTokenizer } from './tokenizer.ts';
import type { SpecialTokens, Tokenizer } from './types.ts';
import { isByteSpelling, type TokenKind, Vocabulary } from './vocabulary.ts';

/** tokenizer.ggml.token_type: 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte. */
const kindOfType: Record<number, TokenKind> = {
  1: 'text',
  2: 'special',
  3: 'special',
  4: 'added',
  5: 'unused',
  6: 'byte',
};

/**
 * The tokenizer that a GGUF file carries, with llama.cpp's reading of it.
 *
 * Texts are not Unicode-normalised even where the model's tokenizer.json asks for NFC (Qwen), since the file does not say
 * so; as in llama.cpp, decoding then gives back exactly what was encoded.
 *
 * @param source - reads tokenizer.ggml.*: model, pre, tokens, token_type, merges (gpt2) or scores (llama),
 *   bos/eos/eot/eom/unknown/padding_token_id, add_bos_token, add_eos_token, add_space_prefix
 * @throws {UnsupportedError} another kind of tokenizer, or a pre-tokenizer that is not known
 * @throws {DataError} a key is missing or not what it should be
 *
 * Time and memory O(vocabulary); about 100 ms for 50 000 tokens.
 */
export function tokenizerFromGguf(source: MetadataSource): Tokenizer {
  const model = optionalString(source, 'tokenizer.ggml.model');
  if (model === 'gpt2') return byteLevelTokenizer(source);
  if (model === 'llama') return sentencePieceTokenizer(source);
  throw new UnsupportedError(
    `tokenizer.ggml.model is ${model === undefined ? 'missing' : `"${model}"`}; expected "gpt2" (byte-level BPE) or "llama" ` +
      "(SentencePiece BPE). Pass the model's tokenizer.json instead.",
  );
}

function byteLevelTokenizer(source: MetadataSource): Tokenizer {
  const texts = requireStrings(source, 'tokenizer.ggml.tokens');
  const kinds = tokenKinds(source, texts);
  const cut = cutNamed(optionalString(source, 'tokenizer.ggml.pre') ?? 'default');
  const merges = requireStrings(source, 'tokenizer.ggml.merges').map((merge, rank) =>
    spelledMerge(merge, rank),
  );
  const model = new BpeModel(idsOf(texts, kinds), merges, {
    ignoreMerges: cut.ignoreMerges ?? false,
    byteFallback: false,
    unknown: undefined,
    fuseUnknown: false,
  });
  const pre_tokenizer = byteLevelPreTokenizer(cut.patterns);
  const pipeline = { normalizer: null, pre_tokenizer, post_processor: null };
  return finish(source, {
    vocabulary: new Vocabulary(texts, kinds, 'byte-level'),
    pieces: createPieceEncoder('GGUF metadata', pipeline, model),
    addBos: cut.addBos ?? false,
    dropFirstSpace: false,
  });
}

function sentencePieceTokenizer(source: MetadataSource): Tokenizer {
  const texts = requireStrings(source, 'tokenizer.ggml.tokens');
  const kinds = tokenKinds(source, texts);
  const scores =
    optionalNumbers(source, 'tokenizer.ggml.scores', texts.length) ?? new Float32Array(texts.length);
  const odd = texts.findIndex((_, id) => !Number.isFinite(scores[id]));
  if (odd >= 0) {
    throw new DataError(
      `GGUF metadata: tokenizer.ggml.scores[${odd}] is ${scores[odd]}; expected a finite number.`,
    );
  }
  const ids = idsOf(texts, kinds);
  const model = new BpeModel(ids, mergesOfScores(ids, scores), {
    ignoreMerges: false,
    byteFallback: true,
    unknown: specialId(source, 'unknown', texts.length),
    fuseUnknown: true,
  });
  const addSpace = optionalBoolean(source, 'tokenizer.ggml.add_space_prefix', true);
  const pipeline = { normalizer: spaceNormalizer(addSpace), pre_tokenizer: null, post_processor: null };
  return finish(source, {
    vocabulary: new Vocabulary(texts, kinds, 'sentencepiece'),
    pieces: createPieceEncoder('GGUF metadata', pipeline, model),
    addBos: true,
    dropFirstSpace: addSpace,
  });
}

const specialNames = ['bos', 'eos', 'eot', 'eom', 'unknown', 'padding'] as const;
type SpecialName = (typeof specialNames)[number];

/** SentencePiece trains with these ids, and old files leave them unsaid. */
const sentencePieceIds: Partial<Record<SpecialName, number>> = { unknown: 0, bos: 1, eos: 2 };

function specialId(source: MetadataSource, name: SpecialName, size: number): number | undefined {
  const said = optionalId(source, `tokenizer.ggml.${name}_token_id`, size);
  const usual = source.get('tokenizer.ggml.model') === 'llama' ? sentencePieceIds[name] : undefined;
  return said ?? (usual !== undefined && usual < size ? usual : undefined);
}

function tokenKinds(source: MetadataSource, texts: readonly string[]): TokenKind[] {
  const types = optionalNumbers(source, 'tokenizer.ggml.token_type', texts.length);
  const kinds = texts.map((text, id): TokenKind => {
    const kind = types === undefined ? 'text' : (kindOfType[types[id]] ?? 'text');
    if (kind === 'byte' && !isByteSpelling(text)) return 'text';
    return kind === 'added' && isEnding(text) ? 'special' : kind;
  });
  if (types === undefined) {
    // Old files do not say what is syntax, but name the tokens.
    for (const name of specialNames) {
      const id = specialId(source, name, texts.length);
      if (id !== undefined) kinds[id] = 'special';
    }
  }
  return kinds;
}

/** Ids of what plain text can be made of: syntax and unused places are left out. */
function idsOf(texts: readonly string[], kinds: readonly TokenKind[]): Map<string, number> {
  const ids = new Map<string, number>();
  texts.forEach((text, id) => {
    const usable = text !== '' && (kinds[id] === 'text' || kinds[id] === 'byte');
    if (usable && !ids.has(text)) ids.set(text, id);
  });
  return ids;
}

interface Parts {
  vocabulary: Vocabulary;
  pieces: PieceEncoder;
  /** Whether texts begin with bos where the file does not say. */
  addBos: boolean;
  dropFirstSpace: boolean;
}

function finish(source: MetadataSource, { vocabulary, pieces, addBos, dropFirstSpace }: Parts): Tokenizer {
  const id = (name: SpecialName): number | undefined => specialId(source, name, vocabulary.size);
  const bos = id('bos');
  const eos = id('eos');
  const special: SpecialTokens = {
    bos,
    eos,
    unknown: id('unknown'),
    padding: id('padding'),
    endOfGeneration: endOfGenerationIds(vocabulary, [eos, id('eot'), id('eom')]),
  };
  const around = (key: string, fallback: boolean, token: number | undefined): number[] =>
    optionalBoolean(source, key, fallback) && token !== undefined ? [token] : [];
  return new PartsTokenizer({
    vocabulary,
    addedTokens: addedTokens(vocabulary),
    pieces,
    special,
    before: around('tokenizer.ggml.add_bos_token', addBos, bos),
    after: around('tokenizer.ggml.add_eos_token', false, eos),
    dropFirstSpace,
  });
}

function addedTokens(vocabulary: Vocabulary): AddedToken[] {
  const tokens: AddedToken[] = [];
  for (let id = 0; id < vocabulary.size; id++) {
    const kind = vocabulary.kind(id);
    const content = vocabulary.text(id);
    if ((kind === 'special' || kind === 'added') && content !== '') {
      tokens.push({ id, content, special: kind === 'special' });
    }
  }
  return tokens;
}
