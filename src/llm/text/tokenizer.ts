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

export class PartsTokenizer implements Tokenizer {
  readonly special: SpecialTokens;
  private readonly parts: TokenizerParts;
  /** Splits at every added token, and at those that any text may hold. */
  private readonly trusted: AddedTokenSplitter;
  private readonly untrusted: AddedTokenSplitter;

  constructor(parts: TokenizerParts) {
    this.parts = parts;
    this.special = parts.special;
    this.trusted = new AddedTokenSplitter(parts.addedTokens);
    this.untrusted = new AddedTokenSplitter(parts.addedTokens.filter((token) => !token.special));
  }

  get vocabularySize(): number {
    return this.parts.vocabulary.size;
  }

  encode(text: string, { addSpecial = true, parseSpecial = false }: EncodeOptions = {}): Uint32Array {
    const { before, after, pieces, vocabulary } = this.parts;
    const ids: number[] = addSpecial ? [...before] : [];
    const sections = (parseSpecial ? this.trusted : this.untrusted).split(text);
    sections.forEach((section, index) => {
      if ('id' in section) {
        ids.push(section.id);
        return;
      }
      for (const token of pieces.encode(section.text, index)) {
        // Without an unknown token, what the vocabulary cannot spell is left out, as other implementations do.
        const id = vocabulary.idOf(token);
        if (id !== undefined) ids.push(id);
      }
    });
    if (addSpecial) ids.push(...after);
    return Uint32Array.from(ids);
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
