// Parts of a tokenizer.json pipeline.

import type { SpelledMerge } from './bpe-model.ts';
import { gpt2Words } from './pre-tokenizers.ts';

/** A normalizer, pre-tokenizer, post-processor or decoder: its type and whatever belongs to it. */
export interface PipelinePart {
  type: string;
  [key: string]: unknown;
}

/**
 * The same cuts by means that the library carries out as the original does. Its own ByteLevel and Digits use JavaScript's
 * \s and \d, which differ from Unicode's (U+0085 and U+FEFF; digits beyond ASCII); its Split does not.
 */
export function exactPreTokenizer(part: PipelinePart | null): PipelinePart | null {
  switch (part?.type) {
    case 'Sequence':
      return {
        ...part,
        pretokenizers: (part.pretokenizers as PipelinePart[]).map((child) => exactPreTokenizer(child)!),
      };
    case 'Digits':
      return split(part.individual_digits ? String.raw`\p{N}` : String.raw`\p{N}+`);
    case 'ByteLevel': {
      // The space goes before the cut, so a part that adds one is left to the library.
      if (part.use_regex === false || part.add_prefix_space === true) return part;
      return { type: 'Sequence', pretokenizers: [split(gpt2Words), { ...part, use_regex: false }] };
    }
    default:
      return part;
  }
}

function split(Regex: string): PipelinePart {
  return { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false };
}

/** SentencePiece writes a space as ▁. @param addSpace - puts one before every stretch of text, as its add_dummy_prefix */
export function spaceNormalizer(addSpace: boolean): PipelinePart {
  const spaces = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
  return addSpace ? { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '▁' }, spaces] } : spaces;
}

/** A merge as files have it: two spellings with a space between, or a pair of them. */
export function spelledMerge(merge: string | readonly [string, string], rank: number): SpelledMerge {
  if (typeof merge !== 'string') return { left: merge[0], right: merge[1], rank };
  const at = merge.indexOf(' ', 1);
  return { left: merge.slice(0, at), right: merge.slice(at + 1), rank };
}
