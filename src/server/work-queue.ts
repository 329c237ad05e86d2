// Work beside the texts (embeddings, probabilities of prompts): one piece after the other, few waiting.

import { BusyError } from '../core/errors.ts';

export class WorkQueue {
  private readonly maxWaiting: number;
  private last: Promise<unknown> = Promise.resolve();
  private held = 0;

  /** @param maxWaiting - pieces that wait for their turn, at most */
  constructor(maxWaiting: number) {
    this.maxWaiting = maxWaiting;
  }

  /** Pieces that wait or run. */
  get length(): number {
    return this.held;
  }

  /** @throws {BusyError} too many wait already; rejects with the reason of `signal` when its turn comes too late */
  run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.held > this.maxWaiting) {
      throw new BusyError(
        `${this.held - 1} requests of this kind wait already; expected at most ${this.maxWaiting}. Try again later.`,
      );
    }
    this.held++;
    const turn = this.last.then(() => {
      signal.throwIfAborted();
      return work();
    });
    this.last = turn
      .catch(() => {})
      .finally(() => {
        this.held--;
      });
    return turn;
  }
}
