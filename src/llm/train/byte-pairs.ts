// Makes a small byte-level BPE vocabulary from texts (Sennrich et al., arXiv 1508.07909, algorithm 1, on bytes as GPT-2 has it).

import { requireInteger } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import { BYTE_CHARACTERS } from '../text/byte-alphabet.ts';
import type { TokenizerJson } from '../text/index.ts';

/** Words with the character before them, single digits, runs of signs with line breaks, spaces. */
export const WORD_PATTERN: string = String.raw`[^\r\n\p{L}\p{N}]?[\p{L}_]+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;

export const END_OF_TEXT = '<|endoftext|>';

/** A word as the ids of its parts, and how often it comes. */
interface CountedWord {
  parts: number[];
  count: number;
}

export interface WeightedText {
  text: string;
  /** Each word counts so often, > 0. */
  weight: number;
}

/**
 * A tokenizer.json of `size` tokens: the end of text (id 0), 256 bytes, and merges, the most frequent pair first.
 *
 * Of pairs equally frequent the one with the lower ids is merged, so that the result depends on nothing but the texts.
 *
 * @throws {InvalidArgumentError} size < 257, or the texts have too few different pairs
 *
 * Time O(size · distinct words): half a minute for 1000 tokens of 6 MB English. Memory O(distinct words).
 */
export function trainBytePairs(texts: readonly WeightedText[], size: number): TokenizerJson {
  requireInteger('trainBytePairs: size', size, 257);
  const spellings = [END_OF_TEXT, ...BYTE_CHARACTERS];
  const merges: [string, string][] = [];
  const words = countedWords(texts);
  while (spellings.length < size) {
    const [left, right] = mostFrequentPair(words, size);
    merges.push([spellings[left], spellings[right]]);
    for (const word of words) word.parts = merged(word.parts, left, right, spellings.length);
    spellings.push(spellings[left] + spellings[right]);
  }
  return {
    added_tokens: [{ id: 0, content: END_OF_TEXT, special: true }],
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: WORD_PATTERN }, behavior: 'Isolated', invert: false },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      vocab: Object.fromEntries(spellings.map((spelling, id) => [spelling, id])),
      merges,
    },
  };
}

function countedWords(texts: readonly WeightedText[]): CountedWord[] {
  const counts = new Map<string, number>();
  for (const { text, weight } of texts) {
    for (const [word] of text.matchAll(new RegExp(WORD_PATTERN, 'gu')))
      counts.set(word, (counts.get(word) ?? 0) + weight);
  }
  const encoder = new TextEncoder();
  return [...counts].map(([word, count]) => ({
    parts: Array.from(encoder.encode(word), (byte) => 1 + byte),
    count,
  }));
}

function mostFrequentPair(words: readonly CountedWord[], size: number): [number, number] {
  const counts = new Map<number, number>();
  for (const { parts, count } of words) {
    for (let i = 0; i + 1 < parts.length; i++) {
      const pair = parts[i] * size + parts[i + 1];
      counts.set(pair, (counts.get(pair) ?? 0) + count);
    }
  }
  let [best, most] = [-1, 0];
  for (const [pair, count] of counts) {
    if (count > most || (count === most && pair < best)) [best, most] = [pair, count];
  }
  if (best < 0) {
    throw new InvalidArgumentError(
      'trainBytePairs: the texts have no pairs left to merge; expected longer ones. Ask for fewer tokens.',
    );
  }
  return [Math.floor(best / size), best % size];
}

function merged(parts: number[], left: number, right: number, result: number): number[] {
  if (!parts.includes(left)) return parts;
  const next: number[] = [];
  for (let i = 0; i < parts.length; i++) {
    const pair = parts[i] === left && parts[i + 1] === right;
    next.push(pair ? result : parts[i]);
    if (pair) i++;
  }
  return next;
}
