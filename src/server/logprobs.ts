// Probabilities of tokens in the two forms of the OpenAI API.

import type { SampledToken, Tokenizer } from '../llm/index.ts';

interface TokenLogprob {
  token: string;
  logprob: number;
  /** UTF-8, possibly a part of a character. */
  bytes: number[];
}

/** Of chats, one a token. */
export interface ChatLogprob extends TokenLogprob {
  top_logprobs: TokenLogprob[];
}

/** Of completions, entries of equal number belong together; null where nothing came before the token. */
export interface CompletionLogprobs {
  tokens: string[];
  token_logprobs: (number | null)[];
  top_logprobs: (Record<string, number> | null)[] | null;
  text_offset: number[];
}

/** JSON has no −∞: a token of probability 0 gets what the OpenAI API says of one that is not among the likely ones. */
const finite = (logprob: number): number => Math.max(logprob, -9999);

function describe(tokenizer: Tokenizer, id: number, logprob: number): TokenLogprob {
  const bytes = [...tokenizer.tokenBytes(id)];
  return { token: tokenizer.decode([id], { continuation: true }), logprob: finite(logprob), bytes };
}

export function chatLogprob(tokenizer: Tokenizer, { id, logprob = 0, top = [] }: SampledToken): ChatLogprob {
  return {
    ...describe(tokenizer, id, logprob),
    top_logprobs: top.map((other) => describe(tokenizer, other.id, other.logprob)),
  };
}

/** Collects tokens of one text. */
export class CompletionLogprobList {
  private readonly tokenizer: Tokenizer;
  private readonly count: number;
  private offset: number;

  /** @param count - of the most likely tokens to name @param offset - characters before the first token */
  constructor(tokenizer: Tokenizer, count: number, offset: number = 0) {
    this.tokenizer = tokenizer;
    this.count = count;
    this.offset = offset;
  }

  /** @param tokens - the next ones; without `logprob` where nothing came before */
  describe(tokens: readonly SampledToken[]): CompletionLogprobs {
    const result: CompletionLogprobs = {
      ...{ tokens: [], token_logprobs: [], text_offset: [] },
      top_logprobs: this.count > 0 ? [] : null,
    };
    for (const { id, logprob, top = [] } of tokens) {
      const text = this.spell(id);
      result.tokens.push(text);
      result.token_logprobs.push(logprob === undefined ? null : finite(logprob));
      result.text_offset.push(this.offset);
      this.offset += this.tokenizer.decode([id], { continuation: true }).length;
      const likely = top.map((other) => [this.spell(other.id), finite(other.logprob)] as const);
      // The token itself is always named, as in the OpenAI API.
      if (logprob !== undefined) likely.push([text, finite(logprob)]);
      result.top_logprobs?.push(logprob === undefined ? null : Object.fromEntries(likely));
    }
    return result;
  }

  /** Parts of characters would all read the same: they are written as bytes. */
  private spell(id: number): string {
    const text = this.tokenizer.decode([id], { continuation: true });
    if (!text.includes('\ufffd')) return text;
    const bytes = Array.from(
      this.tokenizer.tokenBytes(id),
      (byte) => `\\x${byte.toString(16).padStart(2, '0')}`,
    );
    return `bytes:${bytes.join('')}`;
  }
}
