// Rows of numbers in a few bits each: rotated, so that no coordinate stands out and all are near a normal distribution (as in TurboQuant, arXiv
// 2504.19874), then each as one of 2^bits levels times a scale of the row.
//
// A row of `dim` numbers takes ⌈dim · bits / 8⌉ bytes and two more, its scale as a bfloat16, low byte first. Codes lie one after the other
// from the lowest bit of the first byte on; 3 bits as 2 low ones of all numbers, then 1 high one of all. Code c is the level k (1 + β k²) with k = c − (2^bits − 1) / 2.

import { halfToNumber, putHalf } from './half.ts';

/** Bits of a number. */
export type RowBits = 8 | 4 | 3 | 2;

/** Curvature β of the levels: with it their mean square error on normal numbers is least (within 2 % of the best levels there are, Lloyd–Max's). */
const CURVATURES: Record<RowBits, number> = { 8: 0, 4: 0.0087224, 3: 0.0245855, 2: 0 };

/** Distance of levels near 0, in standard deviations, with the least error on normal numbers; of 8 bits the largest number decides. */
const STEPS: Record<Exclude<RowBits, 8>, number> = { 4: 0.2404955, 3: 0.4713708, 2: 0.9957031 };

const PLANES: Record<RowBits, readonly number[]> = { 8: [8], 4: [4], 3: [2, 1], 2: [2] };

/** Bytes of a row of `dim` numbers. */
export function quantisedRowBytes(dim: number, bits: RowBits): number {
  return PLANES[bits].reduce((sum, plane) => sum + Math.ceil((dim * plane) / 8), 2);
}

export interface QuantisedRows {
  readonly rowBytes: number;
  /** @param numbers - shape (dim,), finite */
  put(numbers: Float32Array, to: Uint8Array, row: number): void;
  /** @returns shape (dim,) */
  get(from: Uint8Array, row: number): Float32Array;
}

/** Writes and reads rows of `dim` numbers. Time O(dim · log dim) a row; nothing is allocated but what `get` returns. */
export function quantisedRows(dim: number, bits: RowBits): QuantisedRows {
  const [half, beta, rowBytes] = [(2 ** bits - 1) / 2, CURVATURES[bits], quantisedRowBytes(dim, bits)];
  const levels = Float64Array.from({ length: 2 ** bits }, (_, c) => levelOf(c - half, beta));
  const codeAt = bits === 8 ? undefined : codeTable(levels, STEPS[bits]);
  const turned = new Float64Array(dim);
  const codes = new Uint8Array(dim);
  const scaleBits = new Uint16Array(1);
  const scaleNumber = new Float32Array(1);
  return {
    rowBytes,
    put(numbers: Float32Array, to: Uint8Array, row: number): void {
      rotate(numbers, turned);
      let square = 0;
      let largest = 0;
      for (let i = 0; i < dim; i++) {
        const size = Math.abs(turned[i]);
        square += size * size;
        if (size > largest) largest = size;
      }
      if (codeAt) {
        // The table has one place for each 1/64 of a standard deviation.
        const inverse = square > 0 ? RESOLUTION / Math.sqrt(square / dim) : 0;
        for (let i = 0; i < dim; i++) {
          const place = Math.min(codeAt.length - 1, Math.trunc(Math.abs(turned[i]) * inverse));
          codes[i] = turned[i] < 0 ? levels.length - 1 - codeAt[place] : codeAt[place];
        }
      } else {
        const inverse = largest > 0 ? half / largest : 0;
        for (let i = 0; i < dim; i++)
          codes[i] = Math.min(levels.length - 1, Math.max(0, Math.round(turned[i] * inverse + half)));
      }
      // Of all scales the one with the least square error for these codes.
      let product = 0;
      let weight = 0;
      for (let i = 0; i < dim; i++) {
        const level = levels[codes[i]];
        product += turned[i] * level;
        weight += level * level;
      }
      scaleNumber[0] = Math.max(0, product / weight);
      putHalf(scaleNumber, scaleBits, 0, 'bfloat16');
      const start = row * rowBytes;
      packCodes(codes, bits, to, start);
      to[start + rowBytes - 2] = scaleBits[0] & 0xff;
      to[start + rowBytes - 1] = scaleBits[0] >> 8;
    },
    get(from: Uint8Array, row: number): Float32Array {
      const start = row * rowBytes;
      unpackCodes(from, start, bits, codes);
      const end = start + rowBytes;
      const scale = halfToNumber(from[end - 2] | (from[end - 1] << 8), 'bfloat16');
      for (let i = 0; i < dim; i++) turned[i] = scale * levels[codes[i]];
      return rotateBack(turned);
    },
  };
}

/** Places of a code table per standard deviation. */
const RESOLUTION = 64;

/** The code of the nearest level for sizes of 0, 1/64, … standard deviations. */
function codeTable(levels: Float64Array, step: number): Uint8Array {
  const places = Math.ceil(RESOLUTION * step * levels[levels.length - 1]) + 1;
  return Uint8Array.from({ length: places }, (_, place) => {
    const size = (place + 0.5) / RESOLUTION / step;
    let code = levels.length / 2;
    while (code + 1 < levels.length && levels[code + 1] - size < size - levels[code]) code++;
    return code;
  });
}

function levelOf(k: number, beta: number): number {
  return k * (1 + beta * k * k);
}

function packCodes(codes: Uint8Array, bits: RowBits, to: Uint8Array, start: number): void {
  let at = start;
  let shift = 0;
  for (const plane of PLANES[bits]) {
    const bytes = Math.ceil((codes.length * plane) / 8);
    const mask = 2 ** plane - 1;
    to.fill(0, at, at + bytes);
    for (let i = 0, bit = 0; i < codes.length; i++, bit += plane)
      to[at + (bit >> 3)] |= ((codes[i] >> shift) & mask) << (bit & 7);
    at += bytes;
    shift += plane;
  }
}

function unpackCodes(from: Uint8Array, start: number, bits: RowBits, codes: Uint8Array): void {
  let at = start;
  let shift = 0;
  codes.fill(0);
  for (const plane of PLANES[bits]) {
    const bytes = Math.ceil((codes.length * plane) / 8);
    const mask = 2 ** plane - 1;
    for (let i = 0, bit = 0; i < codes.length; i++, bit += plane)
      codes[i] |= ((from[at + (bit >> 3)] >> (bit & 7)) & mask) << shift;
    at += bytes;
    shift += plane;
  }
}

/** Signs by chance, the same everywhere, and Hadamard's transform of blocks as long as the largest power of two that divides the length. */
function rotate(numbers: ArrayLike<number>, to: Float64Array): void {
  for (let i = 0; i < to.length; i++) to[i] = isFlipped(i) ? -numbers[i] : numbers[i];
  transform(to);
}

/** The inverse of `rotate`; `numbers` is overwritten. */
function rotateBack(numbers: Float64Array): Float32Array {
  transform(numbers);
  return Float32Array.from(numbers, (x, i) => (isFlipped(i) ? 0 - x : x));
}

function isFlipped(i: number): boolean {
  return ((Math.imul(i, 2_654_435_761) >>> 13) & 1) === 1;
}

function transform(x: Float64Array): void {
  const block = x.length & -x.length;
  for (let width = 1; width < block; width *= 2)
    for (let start = 0; start < x.length; start += 2 * width)
      for (let i = start; i < start + width; i++) {
        const [a, b] = [x[i], x[i + width]];
        x[i] = a + b;
        x[i + width] = a - b;
      }
  const factor = block ** -0.5;
  for (let i = 0; i < x.length; i++) x[i] *= factor;
}
