// Tokens that are looked for in a text before anything else: leftmost first, the longest of several.

import { DataError } from '../../core/errors.ts';

/** A token matched as it is spelled, as tokenizer.json describes it. */
export interface AddedToken {
  id: number;
  content: string;
  /** Control syntax: matched only where the text is trusted. */
  special: boolean;
  /** Swallows the white space before or after it. */
  lstrip?: boolean;
  rstrip?: boolean;
  /** Matches only where no letter, digit or underscore touches it. */
  singleWord?: boolean;
}

/** Characters of one token, and of all: an engine compiles them into one pattern, whose size is a multiple of theirs. */
const LONGEST = 1000;
const MOST_CHARACTERS = 1e6;

/** A stretch of plain text, or an added token. */
export type Section = { text: string } | { id: number };

/** Cuts texts at added tokens. @param tokens - with distinct, non-empty contents; @throws {DataError} they are too long to be looked for */
export class AddedTokenSplitter {
  private readonly tokens: Map<string, AddedToken>;
  private readonly pattern: RegExp | undefined;

  constructor(tokens: readonly AddedToken[]) {
    this.tokens = new Map(tokens.map((token) => [token.content, token]));
    // An alternation takes its first match, so longer spellings stand first.
    const contents = [...this.tokens.keys()].sort((a, b) => b.length - a.length);
    const total = contents.reduce((sum, content) => sum + content.length, 0);
    if (contents.length > 0 && (contents[0].length > LONGEST || total > MOST_CHARACTERS)) {
      throw new DataError(
        `tokenizer: its ${contents.length} added tokens have ${total} characters, the longest ${contents[0].length}; expected at most ${MOST_CHARACTERS}, and ${LONGEST} each, as <|end|> has 7. The file is damaged.`,
      );
    }
    this.pattern = contents.length > 0 ? new RegExp(contents.map(escapeRegExp).join('|'), 'g') : undefined;
  }

  /** @returns the text in sections, in order; no text section is empty. Time O(text · tokens), usually O(text) */
  split(text: string): Section[] {
    if (this.pattern === undefined) return text === '' ? [] : [{ text }];
    const sections: Section[] = [];
    let start = 0; // end of what is in `sections`
    this.pattern.lastIndex = 0;
    for (let match = this.pattern.exec(text); match !== null; match = this.pattern.exec(text)) {
      const token = this.tokens.get(match[0])!;
      let end = match.index + match[0].length;
      if (token.singleWord && touchesWord(text, match.index, end)) {
        this.pattern.lastIndex = match.index + 1;
        continue;
      }
      let before = text.slice(start, match.index);
      if (token.lstrip) before = before.trimEnd();
      if (before !== '') sections.push({ text: before });
      sections.push({ id: token.id });
      if (token.rstrip) end = text.length - text.slice(end).trimStart().length;
      start = end;
      this.pattern.lastIndex = end;
    }
    if (start < text.length) sections.push({ text: text.slice(start) });
    return sections;
  }

  /** Replaces each token spelled out in a text, whatever it swallows or touches. */
  rewrite(text: string, replace: (content: string) => string): string {
    return this.pattern === undefined ? text : text.replaceAll(this.pattern, replace);
  }
}

function touchesWord(text: string, start: number, end: number): boolean {
  return (
    /[\p{L}\p{N}_]$/u.test(text.slice(Math.max(0, start - 2), start)) ||
    /^[\p{L}\p{N}_]/u.test(text.slice(end, end + 2))
  );
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
