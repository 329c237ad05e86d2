// Half-precision floats by their bits: IEEE binary16 and bfloat16 (the upper half of a float32).

/** Of 16 bits. */
export type HalfStorage = 'float16' | 'bfloat16';

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

/** The number that 16 bits stand for. */
export function halfToNumber(bits: number, storage: HalfStorage): number {
  if (storage === 'bfloat16') {
    word[0] = bits << 16;
    return float[0];
  }
  const exponent = bits & 0x7c00;
  if (exponent !== 0 && exponent !== 0x7c00) {
    // The exponent's bias is 112 more, the fraction has 13 more bits.
    word[0] = ((bits & 0x8000) << 16) | (((bits & 0x7fff) << 13) + (112 << 23));
    return float[0];
  }
  const sign = bits & 0x8000 ? -1 : 1;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return fraction ? Number.NaN : sign * Infinity;
}

/** Stores numbers as halves, rounded to nearest, ties to even. @param values - any shape @returns bits, same shape */
export function toHalf(values: Float32Array, storage: HalfStorage): Uint16Array {
  const bits = new Uint16Array(values.length);
  putHalf(values, bits, 0, storage);
  return bits;
}

/** As `toHalf`, into `bits` from entry `start` on: nothing is allocated. */
export function putHalf(values: Float32Array, bits: Uint16Array, start: number, storage: HalfStorage): void {
  const bitsOf = storage === 'bfloat16' ? bfloat16Bits : float16Bits;
  for (let i = 0; i < values.length; i++) {
    float[0] = values[i];
    bits[start + i] = bitsOf(word[0]);
  }
}

/** Halves as float32, exactly. */
export function fromHalf(bits: Uint16Array, storage: HalfStorage): Float32Array {
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) values[i] = halfToNumber(bits[i], storage);
  return values;
}

/** @param bits - of a float32; NaN becomes the quiet one */
function bfloat16Bits(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return 0x7fc0;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

/** @param bits - of a float32; NaN becomes the quiet one */
function float16Bits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const size = bits & 0x7fffffff;
  if (size > 0x7f800000) return 0x7e00;
  if (size >= 0x477ff000) return sign | 0x7c00; // 65520: half a unit above the largest half
  // Below 2⁻¹⁴ halves have a fixed unit.
  if (size < 0x38800000) return sign | roundTiesToEven(Math.abs(float[0]) * 2 ** 24);
  // The exponent's bias is 112 less; 13 bits of the fraction go, rounded.
  return sign | ((size - (112 << 23) + 0xfff + ((size >>> 13) & 1)) >>> 13);
}

function roundTiesToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
