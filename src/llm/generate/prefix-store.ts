// Sequences that have ended, kept for texts that begin with the same tokens: the next turn of a chat does not read the earlier ones again.

import type { Sequence } from '../engine/sequence.ts';

interface Stored {
  settings: string;
  sequence: Sequence;
  bytes: number;
}

export class PrefixStore {
  private readonly limit: number;
  /** The last used at the end. */
  private readonly stored: Stored[] = [];

  /** @param limit - bytes of caches at most; 0: nothing is kept */
  constructor(limit: number) {
    this.limit = limit;
  }

  get bytes(): number {
    return this.stored.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Keeps a fork. @param settings - sequences only serve prompts of the same settings */
  keep(settings: string, sequence: Sequence): void {
    const bytes = sequence.bytes().total;
    if (bytes > this.limit || sequence.tokens.length === 0) return;
    this.stored.push({ settings, sequence: sequence.fork(), bytes });
    while (this.bytes > this.limit) this.stored.shift();
  }

  /**
   * A fork of the longest stored sequence whose tokens begin `tokens`, at least one token shorter, since the last one must be computed to be
   * continued; undefined when there is none. Time O(stored · tokens).
   */
  take(settings: string, tokens: ArrayLike<number>): Sequence | undefined {
    let best = -1;
    this.stored.forEach((entry, i) => {
      const length = entry.sequence.tokens.length;
      const longest = best < 0 ? 0 : this.stored[best].sequence.tokens.length;
      if (entry.settings !== settings || length <= longest || length >= tokens.length) return;
      if (entry.sequence.tokens.every((token, j) => token === tokens[j])) best = i;
    });
    if (best < 0) return undefined;
    const [entry] = this.stored.splice(best, 1);
    this.stored.push(entry);
    return entry.sequence.fork();
  }
}
