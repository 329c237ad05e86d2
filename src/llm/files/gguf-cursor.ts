// Little-endian values one after the other, from the beginning of a file of which more may follow.

import { DataError } from '../../core/errors.ts';

/** The bytes at hand end before the header does; the file has more. Never leaves `openGguf`. */
export class NeedMoreBytes extends Error {}

/**
 * Reads from `bytes`, the beginning of a file of `fileSize` bytes. What reaches beyond the file is refused before anything is allocated for
 * it; what reaches beyond `bytes` only asks for more of them.
 */
export class GgufCursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #name: string;
  readonly #fileSize: number;
  /** Next byte to read. */
  at = 0;

  constructor(bytes: Uint8Array, name: string, fileSize: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#name = name;
    this.#fileSize = fileSize;
  }

  uint8(): number {
    return this.#view.getUint8(this.#take('a byte', 1));
  }
  int8(): number {
    return this.#view.getInt8(this.#take('a byte', 1));
  }
  uint16(): number {
    return this.#view.getUint16(this.#take('a number', 2), true);
  }
  int16(): number {
    return this.#view.getInt16(this.#take('a number', 2), true);
  }
  uint32(): number {
    return this.#view.getUint32(this.#take('a number', 4), true);
  }
  int32(): number {
    return this.#view.getInt32(this.#take('a number', 4), true);
  }
  uint64(): bigint {
    return this.#view.getBigUint64(this.#take('a number', 8), true);
  }
  int64(): bigint {
    return this.#view.getBigInt64(this.#take('a number', 8), true);
  }
  float32(): number {
    return this.#view.getFloat32(this.#take('a number', 4), true);
  }
  float64(): number {
    return this.#view.getFloat64(this.#take('a number', 8), true);
  }

  /** A 64-bit count of things that take at least `least` bytes each: more than the rest of the file can hold is refused. */
  count(what: string, least: number): number {
    // Not as a BigInt: a vocabulary has hundreds of thousands of lengths. Rounding begins far above what any file can hold.
    const count = this.uint32() + this.uint32() * 2 ** 32;
    const rest = this.#fileSize - this.at;
    if (count * least > rest) {
      throw this.damaged(`announces ${count} ${what}, but only ${rest} bytes follow`);
    }
    return count;
  }

  /** A view of the next bytes. */
  bytes(what: string, length: number): Uint8Array {
    const start = this.#take(what, length);
    return this.#bytes.subarray(start, start + length);
  }

  /** Passes over the next bytes. */
  skip(what: string, length: number): void {
    this.#take(what, length);
  }

  /** Text with its length before it, at most `most` bytes. */
  text(what: string, most: number): string {
    const length = this.count(`bytes of ${what}`, 1);
    if (length > most) throw this.damaged(`has ${what} of ${length} bytes; expected ≤ ${most}`);
    return decoder.decode(this.bytes(what, length));
  }

  damaged(what: string): DataError {
    return new DataError(
      `openGguf: ${this.#name} ${what} (near byte ${this.at}). It is damaged or no GGUF file: fetch it anew.`,
    );
  }

  #take(what: string, length: number): number {
    const start = this.at;
    if (start + length > this.#fileSize) {
      throw this.damaged(`ends within ${what}: ${this.#fileSize} bytes; expected ≥ ${start + length}`);
    }
    if (start + length > this.#bytes.length) throw new NeedMoreBytes();
    this.at += length;
    return start;
  }
}

// U+FEFF is a token of some vocabularies: it must not be taken for a mark of byte order.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
