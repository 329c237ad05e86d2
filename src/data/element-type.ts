// Element types of matrix files, decoded to float32.

/** Type of the numbers in a matrix file. */
export type ElementType =
  | 'f2'
  | 'bf2'
  | 'f4'
  | 'f8'
  | 'i1'
  | 'i2'
  | 'i4'
  | 'i8'
  | 'u1'
  | 'u2'
  | 'u4'
  | 'u8'
  | 'b1';

const BYTES: Record<ElementType, number> = {
  f2: 2,
  bf2: 2,
  f4: 4,
  f8: 8,
  i1: 1,
  i2: 2,
  i4: 4,
  i8: 8,
  u1: 1,
  u2: 2,
  u4: 4,
  u8: 8,
  b1: 1,
};

export function elementBytes(type: ElementType): number {
  return BYTES[type];
}

/**
 * Decodes `out.length` numbers that start at the beginning of `bytes`.
 *
 * Into a Float32Array float64 and 32/64-bit integers are rounded; into a Float64Array only 64-bit integers are.
 */
export function decodeElements(
  bytes: Uint8Array,
  type: ElementType,
  littleEndian: boolean,
  out: Float32Array | Float64Array,
): void {
  const { length } = out;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (type === 'f4' && littleEndian && HOST_LITTLE_ENDIAN && out instanceof Float32Array) {
    new Uint8Array(out.buffer, out.byteOffset, out.byteLength).set(bytes.subarray(0, out.byteLength));
    return;
  }
  switch (type) {
    case 'f2': {
      const table = halfTable();
      for (let i = 0; i < length; i++) out[i] = table[view.getUint16(2 * i, littleEndian)];
      return;
    }
    case 'bf2': {
      const bits = new Uint32Array(1);
      const value = new Float32Array(bits.buffer);
      for (let i = 0; i < length; i++) {
        bits[0] = view.getUint16(2 * i, littleEndian) << 16; // the upper half of a float32
        out[i] = value[0];
      }
      return;
    }
    case 'f4':
      for (let i = 0; i < length; i++) out[i] = view.getFloat32(4 * i, littleEndian);
      return;
    case 'f8':
      for (let i = 0; i < length; i++) out[i] = view.getFloat64(8 * i, littleEndian);
      return;
    case 'i1':
      for (let i = 0; i < length; i++) out[i] = view.getInt8(i);
      return;
    case 'b1':
    case 'u1':
      for (let i = 0; i < length; i++) out[i] = bytes[i];
      return;
    case 'i2':
      for (let i = 0; i < length; i++) out[i] = view.getInt16(2 * i, littleEndian);
      return;
    case 'u2':
      for (let i = 0; i < length; i++) out[i] = view.getUint16(2 * i, littleEndian);
      return;
    case 'i4':
      for (let i = 0; i < length; i++) out[i] = view.getInt32(4 * i, littleEndian);
      return;
    case 'u4':
      for (let i = 0; i < length; i++) out[i] = view.getUint32(4 * i, littleEndian);
      return;
    case 'i8':
      for (let i = 0; i < length; i++) out[i] = Number(view.getBigInt64(8 * i, littleEndian));
      return;
    case 'u8':
      for (let i = 0; i < length; i++) out[i] = Number(view.getBigUint64(8 * i, littleEndian));
  }
}

export const HOST_LITTLE_ENDIAN: boolean = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

let halves: Float32Array | undefined;

/** All 65536 half-precision numbers: a look-up beats bit fiddling, and Float16Array is not in every Node this runs on. */
function halfTable(): Float32Array {
  halves ??= Float32Array.from({ length: 65536 }, (_, bits) => {
    const sign = bits >> 15 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
  return halves;
}

/** Index of the first entry that is NaN or infinite; −1 when there is none. */
export function firstNonFinite(data: Float32Array): number {
  // x · 0 is 0 for a finite x and NaN for any other: one multiply-add per value, and the search only when it fails.
  let zero = 0;
  for (let i = 0; i < data.length; i++) zero += data[i] * 0;
  return zero === 0 ? -1 : data.findIndex((x) => !Number.isFinite(x));
}
