// Many short texts as one run of bytes: a vocabulary of 150 000 tokens as objects would take ten times the file's space.

import { requireInteger } from '../../core/check.ts';

/** Texts that are decoded when asked for. */
export class StringList implements Iterable<string> {
  readonly #bytes: Uint8Array;
  /** Text i lies in [starts[i], starts[i + 1]). */
  readonly #starts: Uint32Array;

  /** @param starts - shape (length + 1,), not falling, at most `bytes.length`, which is below 4 GiB */
  constructor(bytes: Uint8Array, starts: Uint32Array) {
    this.#bytes = bytes;
    this.#starts = starts;
  }

  get length(): number {
    return this.#starts.length - 1;
  }

  /** Text i; bytes that are no UTF-8 become U+FFFD. @throws {InvalidArgumentError} there is no such text */
  at(i: number): string {
    return decoder.decode(this.bytesAt(i));
  }

  /** Its bytes as stored: a view that is not to be written. @throws {InvalidArgumentError} there is no such text */
  bytesAt(i: number): Uint8Array {
    requireInteger('StringList.at: i', i, 0, this.length - 1);
    return this.#bytes.subarray(this.#starts[i], this.#starts[i + 1]);
  }

  *[Symbol.iterator](): Generator<string> {
    for (let i = 0; i < this.length; i++) yield this.at(i);
  }
}

// U+FEFF is a token of some vocabularies: it must not be taken for a mark of byte order.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
