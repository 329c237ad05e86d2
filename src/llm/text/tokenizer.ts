// A tokenizer put together from its parts, whichever file they came from.

import { type AddedToken, AddedTokenSplitter } from './added-tokens.ts';
import type { PieceEncoder } from './piece-encoder.ts';
import { createTextStream } from './text-stream.ts';
import type { DecodeOptions, EncodeOptions, SpecialTokens, TextStream, Tokenizer } from './types.ts';
import type { Vocabulary } from './vocabulary.ts';

/** What a file says of a tokenizer. */
export interface TokenizerParts {
  vocabulary: Vocabulary;
  addedTokens: readonly AddedToken[];
  pieces: PieceEncoder;
  special: SpecialTokens;
  /** Ids put before and after a text with `addSpecial`. */
  before: readonly number[];
  after: readonly number[];
  /** Decoding drops the space that encoding put before the first word. */
  dropFirstSpace: boolean;
}

const nothing = new Uint8Array(0);
/** Breaks the spelling of a special token. A noncharacter, reserved for use inside one program. */
const mark = '\ufdd0';

export class PartsTokenizer implements Tokenizer {
  readonly special: SpecialTokens;
  private readonly parts: TokenizerParts;
  /** Splits at every added token, and at those that any text may hold. */
  private readonly trusted: AddedTokenSplitter;
  private readonly untrusted: AddedTokenSplitter;
  /** Finds special tokens alone. */
  private readonly syntax: AddedTokenSplitter;

  constructor(parts: TokenizerParts) {
    this.parts = parts;
    this.special = parts.special;
    this.trusted = new AddedTokenSplitter(parts.addedTokens);
    this.untrusted = new AddedTokenSplitter(parts.addedTokens.filter((token) => !token.special));
    this.syntax = new AddedTokenSplitter(parts.addedTokens.filter((token) => token.special));
  }

  get vocabularySize(): number {
    return this.parts.vocabulary.size;
  }

  encode(
    text: string,
    { addSpecial = true, parseSpecial = false, shielded = false }: EncodeOptions = {},
  ): Uint32Array {
    const { before, after, pieces } = this.parts;
    const ids: number[] = addSpecial ? [...before] : [];
    const sections = (parseSpecial ? this.trusted : this.untrusted).split(text);
    sections.forEach((section, index) => {
      if ('id' in section) {
        ids.push(section.id);
        return;
      }
      const plain = shielded ? section.text.replaceAll(mark, '') : section.text;
      pieces.encode(plain, index, ids);
    });
    if (addSpecial) ids.push(...after);
    return Uint32Array.from(ids);
  }

  shield(text: string): string {
    // A mark after every character also breaks tokens that overlap with the one found.
    const spread = (token: string): string => Array.from(token, (character) => character + mark).join('');
    return this.syntax.rewrite(text.replaceAll(mark, ''), spread);
  }

  decode(ids: ArrayLike<number>, options: DecodeOptions = {}): string {
    const stream = this.textStream({ skipSpecial: false, continuation: false, ...options });
    const parts: string[] = [];
    for (let i = 0; i < ids.length; i++) parts.push(stream.push(ids[i]));
    parts.push(stream.end());
    return parts.join('');
  }

  textStream({ skipSpecial = true, continuation = true }: DecodeOptions = {}): TextStream {
    const { vocabulary, dropFirstSpace } = this.parts;
    return createTextStream({
      bytesOf: (id) => (skipSpecial && vocabulary.kind(id) === 'special' ? nothing : vocabulary.bytes(id)),
      dropFirstSpace: dropFirstSpace && !continuation,
    });
  }

  tokenText(id: number): string {
    return this.parts.vocabulary.text(id);
  }

  tokenBytes(id: number): Uint8Array {
    return this.parts.vocabulary.bytes(id);
  }

  idOf(token: string): number | undefined {
    return this.parts.vocabulary.idOf(token);
  }

  isSpecial(id: number): boolean {
    return this.parts.vocabulary.kind(id) === 'special';
  }
}
