// Stored weights as float32, with the roundings of their format: what every backend must give bit for bit. The layouts are those of ggml's
// blocks (block_q4_0 … block_q6_K).

import { halfToNumber } from './half.ts';
import { WEIGHT_FORMATS, type WeightFormat } from './weight-formats.ts';

type Unpack = (bytes: Uint8Array, at: number, out: Float32Array, to: number) => void;

/**
 * Entries of stored rows as float32.
 *
 * @param bytes - whole blocks from `at` on, enough for `count` entries; any alignment
 * @param count - a multiple of the format's entries a block
 * @param out - receives the entries from `to` on
 *
 * O(count).
 */
export function dequantise(
  format: WeightFormat,
  bytes: Uint8Array,
  at: number,
  count: number,
  out: Float32Array,
  to = 0,
): void {
  const shape = WEIGHT_FORMATS[format];
  const unpack = UNPACK[format];
  for (let entry = 0, from = at; entry < count; entry += shape.entries, from += shape.bytes)
    unpack(bytes, from, out, to + entry);
}

/** Bytes of a row of `cols` entries. */
export function bytesOfRow(format: WeightFormat, cols: number): number {
  const { entries, bytes } = WEIGHT_FORMATS[format];
  return (cols / entries) * bytes;
}

const UNPACK: Record<WeightFormat, Unpack> = {
  F32: (bytes, at, out, to) => {
    word[0] = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
    out[to] = float[0];
  },
  F16: (bytes, at, out, to) => {
    out[to] = half(bytes, at);
  },
  BF16: (bytes, at, out, to) => {
    out[to] = halfToNumber(bytes[at] | (bytes[at + 1] << 8), 'bfloat16');
  },
  Q8_0: (bytes, at, out, to) => {
    const scale = half(bytes, at);
    for (let i = 0; i < 32; i++) out[to + i] = scale * signed(bytes[at + 2 + i]);
  },
  Q4_0: fourOrFiveBits({ hasMin: false, hasFifth: false }),
  Q4_1: fourOrFiveBits({ hasMin: true, hasFifth: false }),
  Q5_0: fourOrFiveBits({ hasMin: false, hasFifth: true }),
  Q5_1: fourOrFiveBits({ hasMin: true, hasFifth: true }),
  Q4_K: fourOrFiveBitRuns(false),
  Q5_K: fourOrFiveBitRuns(true),
  Q6_K: sixBits,
};

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

function half(bytes: Uint8Array, at: number): number {
  return halfToNumber(bytes[at] | (bytes[at + 1] << 8), 'float16');
}

function signed(byte: number): number {
  return (byte << 24) >> 24;
}

/** Blocks of 32: a scale, perhaps a summand, perhaps a word of fifth bits, and 16 bytes of two codes each: entries i and i + 16. */
function fourOrFiveBits({ hasMin, hasFifth }: { hasMin: boolean; hasFifth: boolean }): Unpack {
  const fifthAt = hasMin ? 4 : 2;
  const codesAt = fifthAt + (hasFifth ? 4 : 0);
  const offset = hasMin ? 0 : hasFifth ? 16 : 8;
  return (bytes, at, out, to) => {
    const scale = half(bytes, at);
    const min = hasMin ? half(bytes, at + 2) : 0;
    for (let i = 0; i < 32; i++) {
      let code = (bytes[at + codesAt + (i % 16)] >> (i < 16 ? 0 : 4)) & 15;
      if (hasFifth) code |= ((bytes[at + fifthAt + (i >> 3)] >> (i & 7)) & 1) << 4;
      const product = Math.fround(scale * (code - offset));
      out[to + i] = hasMin ? product + min : product;
    }
  };
}

/** Blocks of 256: two halves, 8 scales and 8 summands of 6 bits in 12 bytes, fifth bits, and 32 bytes for every two runs of 32 entries. */
function fourOrFiveBitRuns(hasFifth: boolean): Unpack {
  return (bytes, at, out, to) => {
    const [scale, min] = [half(bytes, at), half(bytes, at + 2)];
    const codesAt = at + (hasFifth ? 48 : 16);
    for (let run = 0; run < 8; run++) {
      const [scaleCode, minCode] = sixBitPair(bytes, at + 4, run);
      const runScale = Math.fround(scale * scaleCode);
      const runMin = Math.fround(min * minCode);
      for (let i = 0; i < 32; i++) {
        let code = (bytes[codesAt + (run >> 1) * 32 + i] >> (4 * (run & 1))) & 15;
        if (hasFifth) code |= ((bytes[at + 16 + i] >> run) & 1) << 4;
        out[to + 32 * run + i] = Math.fround(runScale * code) - runMin;
      }
    }
  };
}

/** Scale and summand of a run: the last four runs have their upper two bits in the bytes of the first four. */
function sixBitPair(bytes: Uint8Array, at: number, run: number): [number, number] {
  if (run < 4) return [bytes[at + run] & 63, bytes[at + run + 4] & 63];
  const low = bytes[at + run + 4];
  return [(low & 15) | ((bytes[at + run - 4] >> 6) << 4), (low >> 4) | ((bytes[at + run] >> 6) << 4)];
}

/** Blocks of 256: 128 bytes of lower four bits, 64 of upper two, 16 signed scales and a half. */
function sixBits(bytes: Uint8Array, at: number, out: Float32Array, to: number): void {
  const scale = half(bytes, at + 208);
  for (let i = 0; i < 256; i++) {
    const [part, run, l] = [i >> 7, (i >> 5) & 3, i & 31];
    const four = (bytes[at + 64 * part + 32 * (run & 1) + l] >> (4 * (run >> 1))) & 15;
    const two = (bytes[at + 128 + 32 * part + l] >> (2 * run)) & 3;
    const runScale = Math.fround(scale * signed(bytes[at + 192 + (i >> 4)]));
    out[to + i] = runScale * ((four | (two << 4)) - 32);
  }
}
