// Where the bytes of a model file come from: memory, a Blob of a browser, or (file-source.ts) a file of Node.

import { DataError } from '../../core/errors.ts';

/** A file of fixed size that is read in parts. */
export interface ByteSource {
  /** What messages call it: a path or a file's name. */
  readonly name: string;
  /** Bytes in all. */
  readonly size: number;
  /**
   * The bytes from `offset` on, `length` of them. They may be a view of memory that others read too: they are not to be written.
   *
   * @throws {DataError} they reach beyond the end, or the file got shorter
   */
  read(offset: number, length: number, options?: { signal?: AbortSignal | undefined }): Promise<Uint8Array>;
}

/** Bytes in memory, read without a copy. */
export function bytesSource(bytes: Uint8Array, name: string): ByteSource {
  return {
    name,
    size: bytes.length,
    async read(offset, length, { signal } = {}) {
      signal?.throwIfAborted();
      requireWithin(this, offset, length);
      return bytes.subarray(offset, offset + length);
    },
  };
}

/** A file that a user picked in a browser, or any other Blob; each part is copied when it is asked for. */
export function blobSource(blob: Blob, name: string): ByteSource {
  return {
    name,
    size: blob.size,
    async read(offset, length, { signal } = {}) {
      signal?.throwIfAborted();
      requireWithin(this, offset, length);
      return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
    },
  };
}

/** @throws {DataError} some of the bytes lie beyond the end */
export function requireWithin({ name, size }: ByteSource, offset: number, length: number): void {
  if (offset >= 0 && length >= 0 && offset + length <= size) return;
  throw new DataError(
    `${name} has ${size} bytes; expected ${length} of them from byte ${offset} on. It is cut off or damaged: fetch it anew.`,
  );
}
