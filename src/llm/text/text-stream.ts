import type { TextStream } from './types.ts';

/** What a stream needs of a token. */
export interface TokenBytes {
  /** Bytes of the token; none if it is to be left out. */
  bytesOf(id: number): Uint8Array;
  /** Drop one space at the very start. */
  dropFirstSpace: boolean;
}

/** Puts the bytes of tokens together to characters. A streaming TextDecoder keeps the bytes of an unfinished one. */
export function createTextStream({ bytesOf, dropFirstSpace }: TokenBytes): TextStream {
  // A byte order mark is text like any other: without ignoreBOM the first one would vanish.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let atStart = dropFirstSpace;
  return {
    push(id) {
      let bytes = bytesOf(id);
      if (bytes.length === 0) return '';
      if (atStart) {
        atStart = false;
        if (bytes[0] === 0x20) bytes = bytes.subarray(1);
      }
      return decoder.decode(bytes, { stream: true });
    },
    end() {
      atStart = dropFirstSpace;
      return decoder.decode();
    },
  };
}
