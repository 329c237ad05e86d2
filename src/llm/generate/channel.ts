// A queue between one producer and one reader that the producer can see the length of.

export class Channel<T> implements AsyncIterable<T> {
  private readonly items: T[] = [];
  private wake: (() => void) | undefined;
  private ended = false;
  private failure: unknown;
  private readonly onClose: () => void;

  /** @param onClose - called when the reader leaves before the end */
  constructor(onClose: () => void) {
    this.onClose = onClose;
  }

  /** Items that wait for the reader. */
  get waiting(): number {
    return this.items.length;
  }

  push(item: T): void {
    this.items.push(item);
    this.wake?.();
  }

  end(): void {
    this.ended = true;
    this.wake?.();
  }

  /** What is waiting is still read, then the reader gets the error. */
  fail(error: unknown): void {
    this.failure = error;
    this.end();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    try {
      for (;;) {
        const item = this.items.shift();
        if (item !== undefined) yield item;
        else if (this.ended) {
          if (this.failure !== undefined) throw this.failure;
          return;
        } else
          await new Promise<void>((resolve) => {
            this.wake = resolve;
          });
      }
    } finally {
      if (!this.ended) this.onClose();
    }
  }
}
