// What the engine knows of text: strings to token ids and back. Everything else of a tokenizer is hidden here.

/** Which tokens of a vocabulary mean something other than text. */
export interface SpecialTokens {
  /** Begins a sequence; undefined when the model has none. */
  readonly bos: number | undefined;
  /** Ends a sequence, the model's main one. */
  readonly eos: number | undefined;
  readonly unknown: number | undefined;
  readonly padding: number | undefined;
  /** Every id that ends generation: `eos`, end of turn, end of message, and the like. */
  readonly endOfGeneration: ReadonlySet<number>;
}

export interface EncodeOptions {
  /** Adds what the model expects around a text (usually the bos token), as its files say. Default true. */
  addSpecial?: boolean;
  /**
   * Reads special tokens spelled out in the text ("<|im_start|>") as those tokens. Default false, so that a user's
   * text cannot close a turn; set it for the output of a chat template, which is the model's own syntax.
   * Added tokens that are not special (runs of spaces, HTML tags) are always read as themselves.
   */
  parseSpecial?: boolean;
  /** The text holds parts that went through `shield`; their marks are taken out. Default false. */
  shielded?: boolean;
}

export interface DecodeOptions {
  /** Leaves special tokens out. Default false. */
  skipSpecial?: boolean;
  /**
   * The ids go on from earlier text: a SentencePiece vocabulary then keeps the space of the first word, which it
   * drops at the start of a text. Default false in `decode`, true in `textStream`. No effect on byte-level vocabularies.
   */
  continuation?: boolean;
}

/** Turns ids into text one by one, giving out whole characters only. */
export interface TextStream {
  /** The text that this token completes: empty while a UTF-8 character still lacks bytes. @throws as `decode` */
  push(id: number): string;
  /** Ends the text: U+FFFD if the last character never came whole, else empty. The stream can then be used anew. */
  end(): string;
}

/** A vocabulary with its rules. All methods are pure: equal arguments give equal results. */
export interface Tokenizer {
  /** Ids are 0 … vocabularySize − 1. */
  readonly vocabularySize: number;
  readonly special: SpecialTokens;
  /** @returns token ids, shape (tokens,). Lone surrogates count as U+FFFD. Time O(text · log) */
  encode(text: string, options?: EncodeOptions): Uint32Array;
  /**
   * Makes a text safe to stand inside one that is encoded with `parseSpecial` and `shielded`: special tokens spelled out
   * in it are read as plain text. It marks each with a Unicode noncharacter, U+FDD0, and drops those the text had.
   */
  shield(text: string): string;
  /** @returns the text; bytes that are no UTF-8 become U+FFFD. @throws {InvalidArgumentError} an id outside the vocabulary */
  decode(ids: ArrayLike<number>, options?: DecodeOptions): string;
  /** A decoder for text that is being generated; `skipSpecial` and `continuation` default to true. */
  textStream(options?: DecodeOptions): TextStream;
  /** The token as the vocabulary spells it ("Ġthe", "▁the", "<0x0A>"); empty for an id without a token. */
  tokenText(id: number): string;
  /** The bytes a token stands for in text: possibly a part of a UTF-8 character. A fresh array. */
  tokenBytes(id: number): Uint8Array;
  /** The id of a token as the vocabulary spells it. */
  idOf(token: string): number | undefined;
  /** Whether the token is control syntax and not text. */
  isSpecial(id: number): boolean;
}
