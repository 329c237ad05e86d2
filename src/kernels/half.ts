// Half-precision floats by their bits: IEEE binary16 and bfloat16 (the upper half of a float32).

import type { KeyValueStorage } from './attention-types.ts';

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

/** The number that 16 bits stand for. */
export function halfToNumber(bits: number, storage: Exclude<KeyValueStorage, 'float32'>): number {
  if (storage === 'bfloat16') {
    word[0] = bits << 16;
    return float[0];
  }
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Stores numbers as halves, rounded to nearest, ties to even. @param values - any shape @returns bits, same shape */
export function toHalf(values: Float32Array, storage: Exclude<KeyValueStorage, 'float32'>): Uint16Array {
  return Uint16Array.from(values, (value) =>
    storage === 'bfloat16' ? bfloat16Bits(value) : float16Bits(value),
  );
}

/** Halves as float32, exactly. */
export function fromHalf(bits: Uint16Array, storage: Exclude<KeyValueStorage, 'float32'>): Float32Array {
  return Float32Array.from(bits, (half) => halfToNumber(half, storage));
}

function bfloat16Bits(value: number): number {
  float[0] = value;
  if (Number.isNaN(value)) return 0x7fc0;
  return (word[0] + 0x7fff + ((word[0] >>> 16) & 1)) >>> 16;
}

function float16Bits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= 65520) return sign | 0x7c00;
  const exponent = size < 2 ** -14 ? -14 : Math.floor(Math.log2(size));
  const unit = 2 ** (exponent - 10); // spacing of halves here; subnormals share that of 2⁻¹⁴
  const steps = roundTiesToEven(size / unit);
  return sign | (size < 2 ** -14 ? steps : steps + ((exponent + 14) << 10));
}

function roundTiesToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
