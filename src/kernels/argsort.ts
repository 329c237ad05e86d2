// Stable order of float64 numbers by a least-significant-digit radix sort on their bits, with 32-bit indices along.

/** Bits 0–10, 11–21 and 22–31 of a word: no digit crosses words. */
const DIGIT_SHIFTS = [0, 11, 22] as const;
const DIGITS = 2048;

/** Keys as pairs of words (low, high) with the index each came from. */
interface Records {
  words: Uint32Array;
  index: Uint32Array;
}

/**
 * The stable ascending order of `values`, and the values in that order. −0 counts as 0 and comes out as 0.
 *
 * @param values - shape (n,), without NaN
 * @param order - receives the positions, shape (n,)
 * @param sorted - receives the values, shape (n,); may not be `values`
 *
 * O(n): a pass per 11 bits that are not the same throughout, of 6; 12 bytes a value besides the outputs.
 */
export function argsort(values: Float64Array, order: Uint32Array, sorted: Float64Array): void {
  for (const _ of argsortPasses(values, order, sorted));
}

/** The same, halting after each pass, about 15 ns a value: for callers who let the event loop run in between. */
export function* argsortPasses(
  values: Float64Array,
  order: Uint32Array,
  sorted: Float64Array,
  memory?: { keys: Float64Array; order: Uint32Array },
): Generator<undefined, void> {
  const n = values.length;
  const ends = histograms(values);
  const passes = ends.flatMap((counts, digit) => (isConstant(counts, n) ? [] : [digit]));
  for (const counts of ends) turnIntoStarts(counts);
  if (passes.length === 0) {
    for (let i = 0; i < n; i++) {
      order[i] = i;
      sorted[i] = values[i] + 0;
    }
    return;
  }
  const out: Records = { words: wordsOf(sorted), index: order.subarray(0, n) };
  const { keys, order: places } = memory ?? { keys: new Float64Array(n), order: new Uint32Array(n) };
  const spare: Records = { words: wordsOf(keys), index: places.subarray(0, n) };
  for (const [pass, digit] of passes.entries()) {
    yield;
    // The last pass ends in `out`, the ones before alternate.
    const to = (passes.length - pass) % 2 === 1 ? out : spare;
    if (pass === 0) scatterFirst(values, to, ends[digit], digit);
    else scatter(to === out ? spare : out, to, ends[digit], digit);
  }
  keysToNumbers(out.words, n);
}

function wordsOf(values: Float64Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
}

/** The sign bit flipped for numbers ≥ 0, all bits for those below: unsigned order of the keys is the order of the numbers. */
function signMask(high: number): number {
  return high >> 31;
}

/** −0 as 0. */
function highWord(words: Uint32Array, i: number): number {
  const high = words[2 * i + 1];
  return high === 0x80000000 && words[2 * i] === 0 ? 0 : high;
}

/** Six counts of digits, lowest digit first. */
function histograms(values: Float64Array): Uint32Array[] {
  const [a, b, c, d, e, f] = Array.from({ length: 6 }, () => new Uint32Array(DIGITS));
  const words = wordsOf(values);
  for (let i = 0; i < values.length; i++) {
    const high = highWord(words, i);
    const mask = signMask(high);
    const low = words[2 * i] ^ mask;
    const top = high ^ (mask | 0x80000000);
    a[low & 2047]++;
    b[(low >>> 11) & 2047]++;
    c[low >>> 22]++;
    d[top & 2047]++;
    e[(top >>> 11) & 2047]++;
    f[top >>> 22]++;
  }
  return [a, b, c, d, e, f];
}

function isConstant(counts: Uint32Array, n: number): boolean {
  return counts.includes(n) || n === 0;
}

function turnIntoStarts(counts: Uint32Array): void {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i];
    counts[i] = sum;
    sum += count;
  }
}

function scatterFirst(values: Float64Array, to: Records, starts: Uint32Array, digit: number): void {
  const words = wordsOf(values);
  const { words: toWords, index } = to;
  const shift = DIGIT_SHIFTS[digit % 3];
  const isHigh = digit >= 3;
  for (let i = 0; i < values.length; i++) {
    const high = highWord(words, i);
    const mask = signMask(high);
    const low = words[2 * i] ^ mask;
    const top = high ^ (mask | 0x80000000);
    const at = starts[((isHigh ? top : low) >>> shift) & 2047]++;
    toWords[2 * at] = low;
    toWords[2 * at + 1] = top;
    index[at] = i;
  }
}

function scatter(from: Records, to: Records, starts: Uint32Array, digit: number): void {
  const { words, index } = from;
  const { words: toWords, index: toIndex } = to;
  const shift = DIGIT_SHIFTS[digit % 3];
  const half = digit >= 3 ? 1 : 0;
  for (let i = 0; i < index.length; i++) {
    const at = starts[(words[2 * i + half] >>> shift) & 2047]++;
    toWords[2 * at] = words[2 * i];
    toWords[2 * at + 1] = words[2 * i + 1];
    toIndex[at] = index[i];
  }
}

function keysToNumbers(words: Uint32Array, n: number): void {
  for (let i = 0; i < n; i++) {
    const mask = ~(words[2 * i + 1] >> 31);
    words[2 * i] ^= mask;
    words[2 * i + 1] ^= mask | 0x80000000;
  }
}
