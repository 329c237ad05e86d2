// The alphabet of byte-level BPE (GPT-2): each byte is written as one printable character, so that a vocabulary of
// strings can hold any bytes. Printable Latin-1 stands for itself, the other 68 bytes for U+0100 and up, in order.

const byteOf = new Map<number, number>();
let next = 0x100;
for (let byte = 0; byte < 256; byte++) {
  const printable =
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  byteOf.set(printable ? byte : next++, byte);
}

/** The character of each byte, shape (256,). */
export const BYTE_CHARACTERS: readonly string[] = [...byteOf]
  .sort(([, a], [, b]) => a - b)
  .map(([code]) => String.fromCharCode(code));

/** The bytes a token of the alphabet stands for, or undefined when it holds a character from outside the alphabet. */
export function alphabetBytes(token: string): Uint8Array | undefined {
  const bytes = new Uint8Array(token.length);
  for (let i = 0; i < token.length; i++) {
    const byte = byteOf.get(token.charCodeAt(i));
    if (byte === undefined) return undefined;
    bytes[i] = byte;
  }
  return bytes;
}
