// Ids, spellings and bytes of tokens.

import { InvalidArgumentError } from '../../core/errors.ts';
import { alphabetBytes } from './byte-alphabet.ts';

/**
 * What a token is: a piece of text; an added token, matched in text as it is spelled; a special token, which is syntax;
 * one raw byte; or a place in the table that encoding never produces.
 */
export type TokenKind = 'text' | 'added' | 'special' | 'byte' | 'unused';

/** How text pieces are spelled: GPT-2's byte alphabet, or SentencePiece's ▁ for a space. */
export type Spelling = 'byte-level' | 'sentencepiece';

const encoder = new TextEncoder();

export class Vocabulary {
  readonly spelling: Spelling;
  private readonly texts: readonly string[];
  private readonly kinds: readonly TokenKind[];
  private readonly ids = new Map<string, number>();

  /**
   * @param texts - shape (V,), spelling of each id; empty for an id without a token
   * @param kinds - shape (V,)
   */
  constructor(texts: readonly string[], kinds: readonly TokenKind[], spelling: Spelling) {
    this.texts = texts;
    this.kinds = kinds;
    this.spelling = spelling;
    // The first of two equal spellings wins, as in llama.cpp's merges: both stand for the same text.
    for (let id = texts.length - 1; id >= 0; id--) if (texts[id] !== '') this.ids.set(texts[id], id);
  }

  get size(): number {
    return this.texts.length;
  }

  idOf(token: string): number | undefined {
    return this.ids.get(token);
  }

  text(id: number): string {
    this.requireId(id);
    return this.texts[id];
  }

  kind(id: number): TokenKind {
    this.requireId(id);
    return this.kinds[id];
  }

  bytes(id: number): Uint8Array {
    this.requireId(id);
    const text = this.texts[id];
    switch (this.kinds[id]) {
      case 'byte':
        return Uint8Array.of(Number.parseInt(text.slice(3, 5), 16)); // "<0x0A>"
      case 'added':
      case 'special':
        return encoder.encode(text); // matched in text as spelled, so it stands for its spelling
      default:
        if (this.spelling === 'sentencepiece') return encoder.encode(text.replaceAll('▁', ' '));
        return alphabetBytes(text) ?? encoder.encode(text);
    }
  }

  private requireId(id: number): void {
    if (!Number.isInteger(id) || id < 0 || id >= this.texts.length) {
      throw new InvalidArgumentError(
        `Tokenizer: token id is ${id}; expected an integer in [0, ${this.texts.length - 1}]. ` +
          'Is the tokenizer that of the model?',
      );
    }
  }
}

/** Whether a spelling is that of a raw byte, "<0x00>" to "<0xFF>". */
export function isByteSpelling(token: string): boolean {
  return /^<0x[0-9A-F]{2}>$/.test(token);
}
