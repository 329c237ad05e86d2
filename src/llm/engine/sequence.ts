// One text on its way through a model: its tokens and what each layer keeps of them.

import { InvalidArgumentError } from '../../core/errors.ts';
import type { CacheBytes, KeyValueCache } from '../../kv-cache/index.ts';

export class Sequence {
  /** One a layer. */
  readonly caches: readonly KeyValueCache[];
  private readonly absorbed: number[];
  private isWhole = true;

  constructor(caches: readonly KeyValueCache[], tokens: readonly number[] = []) {
    this.caches = caches;
    this.absorbed = [...tokens];
  }

  /** Those that all layers have taken in; the position of the next is their number. */
  get tokens(): readonly number[] {
    return this.absorbed;
  }

  /** Bytes that the caches hold now, all layers together. */
  bytes(): CacheBytes {
    const total = { keys: 0, values: 0, bookkeeping: 0, total: 0 };
    for (const cache of this.caches) {
      const bytes = cache.bytes();
      for (const part of ['keys', 'values', 'bookkeeping', 'total'] as const) total[part] += bytes[part];
    }
    return total;
  }

  /** An independent sequence that goes on from here; caches share memory until one of them writes. */
  fork(): Sequence {
    this.requireWhole();
    return new Sequence(
      this.caches.map((cache) => cache.fork()),
      this.absorbed,
    );
  }

  /**
   * To be called before layers take tokens. Until `end` they do not agree, and should it never come, the sequence is of no more use.
   *
   * @throws {InvalidArgumentError} another step is under way, or one failed
   */
  begin(): void {
    this.requireWhole();
    this.isWhole = false;
  }

  /** All layers have taken these tokens. */
  end(tokens: ArrayLike<number>): void {
    for (let i = 0; i < tokens.length; i++) this.absorbed.push(tokens[i]);
    this.isWhole = true;
  }

  /** @throws {InvalidArgumentError} as `begin` */
  requireWhole(): void {
    if (this.isWhole) return;
    throw new InvalidArgumentError(
      'Sequence: a step of it is under way, or was broken off; expected one whose layers have taken the same tokens. Wait for the step, or start again from a fork or from the tokens.',
    );
  }
}
