// Parts of a tokenizer.json pipeline.

import { DataError, UnsupportedError } from '../../core/errors.ts';
import type { SpelledMerge } from './bpe-model.ts';
import { gpt2Words } from './pre-tokenizers.ts';

/** A normalizer, pre-tokenizer, post-processor or decoder: its type and whatever belongs to it. */
export interface PipelinePart {
  type: string;
  [key: string]: unknown;
}

/** Where parts of each kind have parts of their own. */
const members = {
  normalizer: 'normalizers',
  pre_tokenizer: 'pretokenizers',
  post_processor: 'processors',
  decoder: 'decoders',
} as const;

const WITH_PATTERN = ['Split', 'Replace'];

/** Parts within parts; real files have two or three. */
const MAX_DEPTH = 16;

/**
 * A part of a file as one that can be read; null where there is none.
 *
 * @throws {DataError} it, or a part within it, has no type, or its pattern is neither String nor Regex
 */
export function readPart(what: keyof typeof members, value: unknown, depth = 0): PipelinePart | null {
  if (value === null || value === undefined) return null;
  const part = value as PipelinePart;
  if (depth > MAX_DEPTH || typeof part.type !== 'string') {
    throw new DataError(
      `tokenizer.json: ${what} has a part ${depth > MAX_DEPTH ? `${depth} deep` : 'without a type'}; expected objects with a type, at most ${MAX_DEPTH} deep. Fetch the file anew.`,
    );
  }
  const inner = part[members[what]];
  if (part.type === 'Sequence') {
    if (!Array.isArray(inner)) {
      throw new DataError(
        `tokenizer.json: ${what} is a Sequence without ${members[what]}; expected a list of parts. Fetch the file anew.`,
      );
    }
    for (const one of inner) readPart(what, one ?? {}, depth + 1);
  }
  if (WITH_PATTERN.includes(part.type) && !isPattern(part.pattern)) {
    throw new DataError(
      `tokenizer.json: ${what} has a ${part.type} whose pattern is no text; expected {"String": …} or {"Regex": …}. Fetch the file anew.`,
    );
  }
  return part;
}

function isPattern(pattern: unknown): boolean {
  if (typeof pattern !== 'object' || pattern === null) return false;
  const { String: text, Regex: regex } = pattern as Record<string, unknown>;
  return typeof (text ?? regex) === 'string';
}

/** A value of a file, to be named in a message: lists and objects may be of any size and depth. */
export function shown(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(JSON.stringify(value)).slice(0, 60);
  return Array.isArray(value) ? 'a list' : 'an object';
}

const exactNormalizers = ['NFC', 'NFD', 'NFKC', 'NFKD', 'Prepend', 'Replace'];

/** @throws {UnsupportedError} a part that the library carries out otherwise than the original, or not at all */
export function requireExactNormalizer(part: PipelinePart | null): void {
  if (part === null) return;
  if (part.type === 'Sequence') (part.normalizers as PipelinePart[]).forEach(requireExactNormalizer);
  else if (!exactNormalizers.includes(part.type)) {
    throw unsupported('normalizer', part.type, ['Sequence', ...exactNormalizers]);
  }
}

/**
 * The same cuts by means that the library carries out as the original does. Its ByteLevel and Digits use JavaScript's \s
 * and \d, which differ from Unicode's (U+0085 and U+FEFF; digits beyond ASCII); its Metaspace never cuts; its Split knows
 * two behaviours.
 *
 * @throws {UnsupportedError} a part for which there are no such means
 */
export function exactPreTokenizer(part: PipelinePart | null): PipelinePart | null {
  switch (part?.type) {
    case undefined:
      return null;
    case 'Sequence':
      return sequence(...(part.pretokenizers as PipelinePart[]).map((child) => exactPreTokenizer(child)!));
    case 'Digits':
      return split(part.individual_digits ? String.raw`\p{N}` : String.raw`\p{N}+`);
    case 'ByteLevel':
      // The space goes before the cut, so a part that adds one is left to the library.
      if (part.use_regex === false || part.add_prefix_space === true) return part;
      return sequence(split(gpt2Words), { ...part, use_regex: false });
    case 'Metaspace': {
      const metaspace = { ...part, prepend_scheme: prependScheme(part) };
      return part.split === false ? metaspace : sequence(metaspace, split('▁[^▁]*'));
    }
    case 'Split':
      // Isolated pieces are the same, whichever of matches and gaps are called the delimiters.
      if (part.behavior === 'Isolated') return { ...part, invert: false };
      if (part.behavior === 'Removed') return part;
      throw unsupported('Split behavior', String(part.behavior), ['Isolated', 'Removed']);
    default:
      throw unsupported('pre_tokenizer', part!.type, [
        'Sequence',
        'Split',
        'ByteLevel',
        'Digits',
        'Metaspace',
      ]);
  }
}

/** Where a Metaspace puts a space of its own: "always", "first" or "never". Older files say add_prefix_space. */
export function prependScheme(metaspace: PipelinePart): unknown {
  return metaspace.prepend_scheme ?? (metaspace.add_prefix_space === false ? 'never' : 'always');
}

function sequence(...pretokenizers: PipelinePart[]): PipelinePart {
  return { type: 'Sequence', pretokenizers };
}

function unsupported(what: string, type: string, known: readonly string[]): UnsupportedError {
  return new UnsupportedError(`tokenizer.json: ${what} is ${type}; expected one of ${known.join(', ')}.`);
}

function split(Regex: string): PipelinePart {
  return { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false };
}

/** SentencePiece writes a space as ▁. @param addSpace - puts one before every stretch of text, as its add_dummy_prefix */
export function spaceNormalizer(addSpace: boolean): PipelinePart {
  const spaces = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
  return addSpace ? { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '▁' }, spaces] } : spaces;
}

/** A merge as files have it: two spellings with a space between, or a pair of them. @throws {DataError} it is neither */
export function spelledMerge(merge: string | readonly string[], rank: number): SpelledMerge {
  const at = typeof merge === 'string' ? merge.indexOf(' ', 1) : -1;
  const [left, right] =
    typeof merge === 'string' ? [merge.slice(0, at), merge.slice(at + 1)] : Array.isArray(merge) ? merge : [];
  if ((typeof merge === 'string' && at < 0) || typeof left !== 'string' || typeof right !== 'string') {
    throw new DataError(`tokenizer: merge ${rank} is ${shown(merge)}; expected two spellings.`);
  }
  return { left, right, rank };
}
