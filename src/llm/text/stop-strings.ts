// Stop strings in text that arrives in pieces.

import { InvalidArgumentError } from '../../core/errors.ts';

/** What a piece of text brings. */
export interface StopStep {
  /** Text that is certain to belong to the output. */
  text: string;
  /** The stop string that is now complete, if any; text before it is in `text`, text after it is gone. */
  matched?: string;
}

/** Looks for stop strings, holding back text as long as one may still become complete. */
export interface StopMatcher {
  /** Not to be called again after a match. Time O(text · stop strings), amortised. */
  push(text: string): StopStep;
  /** The text still held back: no stop string will complete it. */
  end(): string;
}

/**
 * The string that is complete first wins; of several complete at once, the longest, which begins first.
 *
 * @param stops - non-empty texts
 * @throws {InvalidArgumentError} one is empty
 */
export function createStopMatcher(stops: readonly string[]): StopMatcher {
  const empty = stops.indexOf('');
  if (empty >= 0) {
    throw new InvalidArgumentError(
      `stop[${empty}] is empty; expected a text to stop at. Leave it out to stop nowhere.`,
    );
  }
  const automata = [...stops].sort((a, b) => b.length - a.length).map((stop) => new PrefixAutomaton(stop));
  let held = '';
  return {
    push(text) {
      const pending = held + text;
      for (let i = held.length; i < pending.length; i++) {
        const unit = pending.charCodeAt(i);
        let complete: string | undefined;
        for (const automaton of automata) if (automaton.step(unit)) complete ??= automaton.stop;
        if (complete !== undefined) {
          held = '';
          return { text: pending.slice(0, i + 1 - complete.length), matched: complete };
        }
      }
      const open = automata.reduce((most, automaton) => Math.max(most, automaton.matched), 0);
      held = pending.slice(pending.length - open);
      return { text: pending.slice(0, pending.length - open) };
    },
    end() {
      const rest = held;
      held = '';
      for (const automaton of automata) automaton.matched = 0;
      return rest;
    },
  };
}

/** Knows how long a prefix of its string the text ends in (Knuth, Morris, Pratt 1977), so that no character is read twice. */
class PrefixAutomaton {
  readonly stop: string;
  /** Code units of the stop string that the text ends in, less than all. */
  matched = 0;
  /** failure[n]: the longest proper prefix of the first n units that is also their suffix. */
  private readonly failure: Uint32Array;

  constructor(stop: string) {
    this.stop = stop;
    this.failure = new Uint32Array(stop.length + 1);
    for (let n = 2; n <= stop.length; n++) {
      this.failure[n] = this.advance(this.failure[n - 1], stop.charCodeAt(n - 1));
    }
  }

  /** Takes a code unit. @returns whether the string is now complete */
  step(unit: number): boolean {
    this.matched = this.advance(this.matched, unit);
    if (this.matched < this.stop.length) return false;
    this.matched = this.failure[this.matched];
    return true;
  }

  private advance(matched: number, unit: number): number {
    while (matched > 0 && this.stop.charCodeAt(matched) !== unit) matched = this.failure[matched];
    return this.stop.charCodeAt(matched) === unit ? matched + 1 : 0;
  }
}
