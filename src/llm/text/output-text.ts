// The text of a generation as it grows: what can be shown, and when it is over.

import { requireInteger } from '../../core/check.ts';
import { createStopMatcher, type StopMatcher } from './stop-strings.ts';
import type { TextStream, Tokenizer } from './types.ts';

/** Why a generation is over, in the words of the OpenAI API: a stop string or an ending token, or no room for more tokens. */
export type FinishReason = 'stop' | 'length';

export interface OutputOptions {
  /** Texts to stop at; they are not part of the output. Default none. */
  stop?: readonly string[] | undefined;
  /** Tokens the output may have, ≥ 1; an ending token is not counted. */
  maxTokens: number;
  /** Goes on after ending tokens (eos, end of turn), which then are part of the output. Default false. */
  ignoreEnd?: boolean | undefined;
  /** Leaves special tokens out of the text. Default true. */
  skipSpecial?: boolean | undefined;
  /** The output goes on from earlier text, see DecodeOptions. Default true; false begins a text of its own. */
  continuation?: boolean | undefined;
}

/** What one token brings. */
export interface OutputStep {
  /** Text that can be shown now: often empty, while a character is not whole or a stop string may be coming. */
  text: string;
  /** Set when the generation is over; `text` then holds all that was left. */
  finishReason?: FinishReason;
  /** The stop string or the id of the ending token that ended it. */
  stoppedBy?: string | number;
}

/** Follows one sequence. */
export interface OutputText {
  /** Tokens of the output so far. */
  readonly tokens: number;
  /** Takes the next token; not to be called once the generation is over. Time O(token · stop strings), amortised. */
  push(id: number): OutputStep;
  /** All text that is left, when the generation is broken off from outside. */
  end(): string;
}

/** @throws {InvalidArgumentError} a stop string is empty, or maxTokens is below 1 */
export function createOutputText(
  tokenizer: Tokenizer,
  { stop = [], maxTokens, ignoreEnd = false, skipSpecial = true, continuation = true }: OutputOptions,
): OutputText {
  requireInteger('output: maxTokens', maxTokens, 1);
  const endings = ignoreEnd ? new Set<number>() : tokenizer.special.endOfGeneration;
  return new StreamedOutput(
    tokenizer.textStream({ skipSpecial, continuation }),
    createStopMatcher(stop),
    endings,
    maxTokens,
  );
}

class StreamedOutput implements OutputText {
  tokens = 0;
  private readonly stream: TextStream;
  private readonly stops: StopMatcher;
  private readonly endings: ReadonlySet<number>;
  private readonly maxTokens: number;

  constructor(stream: TextStream, stops: StopMatcher, endings: ReadonlySet<number>, maxTokens: number) {
    this.stream = stream;
    this.stops = stops;
    this.endings = endings;
    this.maxTokens = maxTokens;
  }

  push(id: number): OutputStep {
    if (this.endings.has(id)) return { text: this.end(), finishReason: 'stop', stoppedBy: id };
    this.tokens++;
    const { text, matched } = this.stops.push(this.stream.push(id));
    if (matched !== undefined) {
      this.stream.end();
      return { text, finishReason: 'stop', stoppedBy: matched };
    }
    if (this.tokens < this.maxTokens) return { text };
    return { text: text + this.end(), finishReason: 'length' };
  }

  end(): string {
    // What an unfinished character leaves (U+FFFD) goes through the matcher too: it may free held text or complete a stop.
    const { text } = this.stops.push(this.stream.end());
    return text + this.stops.end();
  }
}
