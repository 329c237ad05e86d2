// Ascending sample numbers as bytes: differences in base 128, low digits first. Some 1.5 to 3 bytes a sample.

import { DataError } from '../../core/errors.ts';

/** @param rows - ascending, each below 2³²; rows may be empty */
export function encodeMembers(rows: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(5 * rows.length);
  let length = 0;
  let previous = 0;
  for (const row of rows) {
    let rest = row - previous;
    previous = row;
    while (rest >= 128) {
      bytes[length++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    bytes[length++] = rest;
  }
  return bytes.slice(0, length);
}

/** The rows that `encodeMembers` was given. @throws {DataError} the bytes are no strictly ascending rows below 2³² in shortest form */
export function decodeMembers(bytes: Uint8Array): Uint32Array {
  const rows = new Uint32Array(bytes.length);
  let count = 0;
  let row = 0;
  for (let at = 0; at < bytes.length; ) {
    const start = at;
    let difference = 0;
    let unit = 1;
    while (at < bytes.length && bytes[at] >= 128 && at < start + 4) {
      difference += (bytes[at++] & 127) * unit;
      unit *= 128;
    }
    const last = bytes[at++];
    difference += last * unit;
    row += difference;
    // A last digit of 0 after others is a longer spelling of the same number: one set, one spelling.
    if (
      !(last < 128) ||
      (last === 0 && at > start + 1) ||
      row > 0xffffffff ||
      (count > 0 && difference === 0)
    ) {
      throw new DataError(
        `decodeMembers: byte ${start} starts no valid row; expected ascending rows in base 128. The ledger is damaged.`,
      );
    }
    rows[count++] = row;
  }
  return rows.slice(0, count);
}

/** Whether two encodings are the same set. */
export function sameMembers(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
