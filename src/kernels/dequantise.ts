// Weights of every stored format as plain numbers: the obvious version, which the fast kernels are held against.
//
// Block layouts as GGUF documents them. All arithmetic is exact in float64 (a half has 11 significant bits, scales at most 8, codes at most
// 8), so that each result is the exact value rounded once to float32.

import { requireInteger } from '../core/check.ts';
import { InvalidArgumentError, ShapeError } from '../core/errors.ts';
import { halfToNumber } from './half.ts';
import { WEIGHT_FORMATS, type WeightFormat } from './weight-formats.ts';

/**
 * Bytes that a matrix takes in a format; rows follow each other without gaps.
 *
 * @throws {InvalidArgumentError} a size is no integer ≥ 0, or `cols` is no multiple of the format's block
 */
export function weightBytes(format: WeightFormat, rows: number, cols: number): number {
  const { entries, bytes } = WEIGHT_FORMATS[format];
  requireInteger('weightBytes: rows', rows, 0);
  requireInteger('weightBytes: cols', cols, 0);
  if (cols % entries !== 0) {
    throw new InvalidArgumentError(
      `weightBytes: cols is ${cols}; expected a multiple of ${entries}, the entries of a block of ${format}. Store it as F16.`,
    );
  }
  return rows * (cols / entries) * bytes;
}

/**
 * Decodes blocks to numbers, exactly up to the rounding to float32. NaN and infinities of halves and floats pass.
 *
 * @param bytes - whole blocks, at any alignment
 * @param out - takes one number per entry; made when left out
 * @returns `out`
 * @throws {ShapeError} `bytes` are no whole blocks, or not those of `out.length` entries
 *
 * Time O(entries).
 */
export function dequantise(format: WeightFormat, bytes: Uint8Array, out?: Float32Array): Float32Array {
  const block = WEIGHT_FORMATS[format];
  const count = bytes.length / block.bytes;
  const numbers = out ?? new Float32Array(Math.floor(count) * block.entries);
  if (count * block.entries !== numbers.length) {
    throw new ShapeError(
      `dequantise: ${bytes.length} bytes of ${format}, ${block.bytes} for ${block.entries} entries; expected those of ${numbers.length} entries.`,
    );
  }
  const decode = DECODERS[format];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < count; i++) decode(view, i * block.bytes, numbers, i * block.entries);
  return numbers;
}

/** Decodes the block at byte `at` to the entries from `to` on. */
type Decoder = (view: DataView, at: number, out: Float32Array, to: number) => void;

const DECODERS: Readonly<Record<WeightFormat, Decoder>> = {
  F32: (view, at, out, to) => {
    out[to] = view.getFloat32(at, true);
  },
  F16: (view, at, out, to) => {
    out[to] = half(view, at);
  },
  BF16: (view, at, out, to) => {
    out[to] = halfToNumber(view.getUint16(at, true), 'bfloat16');
  },
  // Scale, then 32 signed bytes.
  Q8_0: (view, at, out, to) => {
    const scale = half(view, at);
    for (let i = 0; i < 32; i++) out[to + i] = scale * view.getInt8(at + 2 + i);
  },
  // Scale, then 16 bytes: the low halves are entries 0 to 15, the high halves 16 to 31.
  Q4_0: (view, at, out, to) => {
    const scale = half(view, at);
    for (let i = 0; i < 32; i++) out[to + i] = scale * (nibble(view, at + 2, i, 16) - 8);
  },
  // Scale, minimum, then codes as in Q4_0.
  Q4_1: (view, at, out, to) => {
    const [scale, minimum] = [half(view, at), half(view, at + 2)];
    for (let i = 0; i < 32; i++) out[to + i] = scale * nibble(view, at + 4, i, 16) + minimum;
  },
  // Scale, 32 fifth bits (bit i is entry i's), then the lower four as in Q4_0.
  Q5_0: (view, at, out, to) => {
    const [scale, fifth] = [half(view, at), view.getUint32(at + 2, true)];
    for (let i = 0; i < 32; i++) {
      out[to + i] = scale * ((nibble(view, at + 6, i, 16) | (((fifth >>> i) & 1) << 4)) - 16);
    }
  },
  Q5_1: (view, at, out, to) => {
    const [scale, minimum, fifth] = [half(view, at), half(view, at + 2), view.getUint32(at + 4, true)];
    for (let i = 0; i < 32; i++) {
      out[to + i] = scale * (nibble(view, at + 8, i, 16) | (((fifth >>> i) & 1) << 4)) + minimum;
    }
  },
  // Scale of scales, scale of minima, 12 bytes with both of 8 groups of 32 entries, then codes: 32 bytes for two groups.
  Q4_K: (view, at, out, to) => {
    const [scale, minimum] = [half(view, at), half(view, at + 2)];
    for (let group = 0; group < 8; group++) {
      const [factor, offset] = groupScales(view, at + 4, group);
      for (let i = 0; i < 32; i++) {
        const code = nibble(view, at + 16, 32 * group + i, 32);
        out[to + 32 * group + i] = scale * factor * code - minimum * offset;
      }
    }
  },
  // As Q4_K, with 32 bytes of fifth bits before the codes: bit g of byte i belongs to entry i of group g.
  Q5_K: (view, at, out, to) => {
    const [scale, minimum] = [half(view, at), half(view, at + 2)];
    for (let group = 0; group < 8; group++) {
      const [factor, offset] = groupScales(view, at + 4, group);
      for (let i = 0; i < 32; i++) {
        const fifth = (view.getUint8(at + 16 + i) >> group) & 1;
        const code = nibble(view, at + 48, 32 * group + i, 32) | (fifth << 4);
        out[to + 32 * group + i] = scale * factor * code - minimum * offset;
      }
    }
  },
  // Lower four bits (64 bytes for 128 entries), upper two (32 bytes for 128 entries), 16 signed scales of 16 entries, scale of scales.
  Q6_K: (view, at, out, to) => {
    const scale = half(view, at + 208);
    for (let i = 0; i < 256; i++) {
      const upper = (view.getUint8(at + 128 + 32 * (i >> 7) + (i & 31)) >> (2 * ((i >> 5) & 3))) & 3;
      const code = (nibble(view, at, i, 64) | (upper << 4)) - 32;
      out[to + i] = scale * view.getInt8(at + 192 + (i >> 4)) * code;
    }
  },
};

function half(view: DataView, at: number): number {
  return halfToNumber(view.getUint16(at, true), 'float16');
}

/** Four-bit code i: `width` bytes hold `width` entries in their low halves and the next `width` in their high halves. */
function nibble(view: DataView, at: number, i: number, width: number): number {
  const pair = Math.floor(i / (2 * width));
  const byte = view.getUint8(at + pair * width + (i % width));
  return i % (2 * width) < width ? byte & 15 : byte >> 4;
}

/**
 * Six-bit scale and minimum of a group, packed in 12 bytes: groups 0 to 3 in the low six bits of bytes 0 to 3 and 4 to 7; groups 4 to 7 in
 * the halves of bytes 8 to 11, their upper two bits on top of the former.
 */
function groupScales(view: DataView, at: number, group: number): [scale: number, minimum: number] {
  if (group < 4) return [view.getUint8(at + group) & 63, view.getUint8(at + 4 + group) & 63];
  const low = view.getUint8(at + 4 + group);
  const [scaleTop, minimumTop] = [view.getUint8(at + group - 4) >> 6, view.getUint8(at + group) >> 6];
  return [(low & 15) | (scaleTop << 4), (low >> 4) | (minimumTop << 4)];
}
