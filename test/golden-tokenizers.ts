// The tokenizers of test/golden/tokenizer, as GGUF metadata, and the texts they are held against.

import { readFileSync } from 'node:fs';
import { inflateSync } from 'node:zlib';
import type { MetadataSource, TokenizerJson } from '../src/llm/text/index.ts';

const folder = new URL('./golden/tokenizer/', import.meta.url);
const readJson = (name: string): unknown => JSON.parse(readFileSync(new URL(name, folder), 'utf8'));

export const strings = readJson('strings.json') as string[];

/** Ids by the number of the text; texts left out have the ids of `ids`. */
type Differing = Record<string, number[]>;

export const byteLevel = readJson('byte-level.json') as {
  tokens: string[];
  merges: string[];
  special: number[];
  added: number[];
  ids: number[][];
  untrusted: Differing;
  cuts: Record<string, Differing>;
};

export const sentencePiece = readJson('sentencepiece.json') as {
  tokens: string[];
  scores: number[];
  types: number[];
  ids: Differing;
  decoded: Record<string, string>;
};

/** One vocabulary with every way a Metaspace works; cases after the first name what differs from it. */
export const metaspace = readJson('metaspace.json') as Pick<TokenizerJson, 'model' | 'added_tokens'> & {
  cases: {
    pre_tokenizer: { type: string };
    decoder: { type: string };
    ids: Differing;
    decoded: Record<string, string>;
  }[];
};

/** Metadata with `tokenizer.ggml.` before each name. */
export function ggmlMetadata(values: Record<string, unknown>): MetadataSource {
  const named = new Map(Object.entries(values).map(([name, value]) => [`tokenizer.ggml.${name}`, value]));
  return { get: (key) => named.get(key) };
}

/** 1100 byte-level tokens with some other cut into words. */
export function byteLevelMetadata(pre = 'gpt-2', more: Record<string, unknown> = {}): MetadataSource {
  const { tokens, merges, special, added } = byteLevel;
  const token_type = tokens.map((_, id) => (special.includes(id) ? 3 : added.includes(id) ? 4 : 1));
  return ggmlMetadata({ model: 'gpt2', pre, tokens, merges, token_type, add_bos_token: false, ...more });
}

export function sentencePieceMetadata(more: Record<string, unknown> = {}): MetadataSource {
  const { tokens, scores, types: token_type } = sentencePiece;
  return ggmlMetadata({ model: 'llama', tokens, scores, token_type, add_bos_token: false, ...more });
}

/** The whole tokenizer of SmolLM2, with the ids of its texts. */
export function smollm2(): { metadata: MetadataSource; ids: number[][] } {
  const { first, types, ids } = readJson('smollm2.json') as {
    first: string[];
    types: number[];
    ids: number[][];
  };
  const planes = inflateSync(readFileSync(new URL('smollm2-merges.zz', folder)));
  const half = planes.length / 2;
  const count = half / 2;
  const part = (i: number): number => planes[i] * 256 + planes[half + i];
  const tokens = [...first];
  const merges: string[] = [];
  for (let i = 0; i < count; i++) {
    const [left, right] = [tokens[part(i)], tokens[part(count + i)]];
    merges.push(`${left} ${right}`);
    tokens.push(left + right);
  }
  const token_type = Int32Array.from(tokens, (_, id) => types[id] ?? 1);
  return {
    ids,
    metadata: ggmlMetadata({
      model: 'gpt2',
      pre: 'smollm',
      tokens,
      merges,
      token_type,
      bos_token_id: 1,
      eos_token_id: 2,
      unknown_token_id: 0,
      padding_token_id: 2,
      add_bos_token: false,
    }),
  };
}
