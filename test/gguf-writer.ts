// For tests: GGUF files made by hand, also wrong ones.

import { GGUF_TYPES } from '../src/llm/files/gguf-tensors.ts';

const TYPES = [
  ...['uint8', 'int8', 'uint16', 'int16', 'uint32', 'int32', 'float32', 'bool'],
  ...['string', 'array', 'uint64', 'int64', 'float64'],
] as const;

export type GgufWritable =
  | {
      type: 'uint8' | 'int8' | 'uint16' | 'int16' | 'uint32' | 'int32' | 'float32' | 'float64';
      value: number;
    }
  | { type: 'uint64' | 'int64'; value: bigint }
  | { type: 'bool'; value: boolean }
  | { type: 'string'; value: string }
  | { type: 'array'; of: string; value: readonly unknown[] };

export interface GgufTensorToWrite {
  name: string;
  /** As in GGUF_TYPES, or the number itself. */
  type: string | number;
  /** Row-major, [rows, cols]. */
  shape: readonly number[];
  bytes: Uint8Array;
}

export interface GgufToWrite {
  metadata?: Readonly<Record<string, GgufWritable>>;
  tensors?: readonly GgufTensorToWrite[];
  version?: number;
  alignment?: number;
}

/** A whole file in memory. `alignment` is written as general.alignment when it is not the default 32. */
export function writeGguf({
  metadata = {},
  tensors = [],
  version = 3,
  alignment = 32,
}: GgufToWrite): Uint8Array {
  const out = new Writer();
  const values: Record<string, GgufWritable> = { ...metadata };
  if (alignment !== 32) values['general.alignment'] = { type: 'uint32', value: alignment };
  out.number('uint32', 0x46554747);
  out.number('uint32', version);
  out.big(BigInt(tensors.length));
  out.big(BigInt(Object.keys(values).length));
  for (const [key, value] of Object.entries(values)) {
    out.text(key);
    out.number('uint32', TYPES.indexOf(value.type));
    out.value(value);
  }
  let end = 0;
  for (const { name, type, shape, bytes } of tensors) {
    out.text(name);
    out.number('uint32', shape.length);
    for (const n of shape.toReversed()) out.big(BigInt(n));
    out.number('uint32', typeof type === 'number' ? type : GGUF_TYPES.indexOf(type));
    out.big(BigInt(end));
    end = Math.ceil((end + bytes.length) / alignment) * alignment;
  }
  for (const { bytes } of tensors) {
    out.pad(alignment);
    out.raw(bytes);
  }
  return out.bytes();
}

class Writer {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  raw(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.#length += bytes.length;
  }

  pad(alignment: number): void {
    this.raw(new Uint8Array((alignment - (this.#length % alignment)) % alignment));
  }

  number(type: Exclude<GgufWritable['type'], 'string' | 'array' | 'uint64' | 'int64'>, value: number): void {
    const view = new DataView(new ArrayBuffer(8));
    const [bytes, set] = SETTERS[type];
    set.call(view, 0, value, true);
    this.raw(new Uint8Array(view.buffer, 0, bytes));
  }

  big(value: bigint): void {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigInt64(0, BigInt.asIntN(64, value), true);
    this.raw(new Uint8Array(view.buffer));
  }

  text(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.big(BigInt(bytes.length));
    this.raw(bytes);
  }

  value(item: GgufWritable): void {
    switch (item.type) {
      case 'string':
        this.text(item.value);
        return;
      case 'uint64':
      case 'int64':
        this.big(item.value);
        return;
      case 'array': {
        // "array:int32" is a list of lists of int32.
        const [of, inner] = item.of.split(/:(.*)/);
        this.number('uint32', TYPES.indexOf(of as GgufWritable['type']));
        this.big(BigInt(item.value.length));
        for (const value of item.value) this.value({ type: of, of: inner, value } as unknown as GgufWritable);
        return;
      }
      default:
        this.number(item.type, Number(item.value));
    }
  }

  bytes(): Uint8Array {
    const out = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }
}

type Setter = (this: DataView, at: number, value: number, littleEndian: boolean) => void;

const { prototype } = DataView;
const SETTERS: Record<string, [bytes: number, set: Setter]> = {
  uint8: [1, prototype.setUint8],
  bool: [1, prototype.setUint8],
  int8: [1, prototype.setInt8],
  uint16: [2, prototype.setUint16],
  int16: [2, prototype.setInt16],
  uint32: [4, prototype.setUint32],
  int32: [4, prototype.setInt32],
  float32: [4, prototype.setFloat32],
  float64: [8, prototype.setFloat64],
};
