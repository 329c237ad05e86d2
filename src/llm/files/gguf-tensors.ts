// The tensors that a GGUF file lists: names, shapes, types and places, all checked against the file's size.

import { WEIGHT_FORMATS, type WeightFormat, weightBytes } from '../../kernels/index.ts';
import type { ByteSource } from './byte-source.ts';
import type { GgufCursor } from './gguf-cursor.ts';
import { quoted } from './quoted.ts';
import type { StoredTensor } from './stored-tensor.ts';

/** By their numbers in the file. Those without a name are gone from the format. */
export const GGUF_TYPES: readonly (string | undefined)[] = [
  ...['F32', 'F16', 'Q4_0', 'Q4_1', undefined, undefined, 'Q5_0', 'Q5_1', 'Q8_0', 'Q8_1'],
  ...['Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K', 'Q8_K', 'IQ2_XXS', 'IQ2_XS', 'IQ3_XXS', 'IQ1_S'],
  ...['IQ4_NL', 'IQ3_S', 'IQ2_S', 'IQ4_XS', 'I8', 'I16', 'I32', 'I64', 'F64', 'IQ1_M'],
  ...['BF16', undefined, undefined, undefined, 'TQ1_0', 'TQ2_0', undefined, undefined, undefined, 'MXFP4'],
  ...['NVFP4', 'Q1_0'],
];

/** The format's own limit. */
const MAX_AXES = 4;
/** Above the 63 bytes that llama.cpp reads. */
const MAX_NAME = 255;
/** What the real files stay far below; keeps a made-up header from becoming millions of objects. */
const MAX_TENSORS = 2 ** 17;

/** A tensor whose place is still counted from the beginning of the data. */
type Listed = Omit<StoredTensor, 'source'>;

/** @throws {DataError} damaged, a name occurs twice, or more than 131072 tensors */
export function readTensorList(cursor: GgufCursor, count: number): Listed[] {
  if (count > MAX_TENSORS) throw cursor.damaged(`announces ${count} tensors; expected ≤ ${MAX_TENSORS}`);
  const names = new Set<string>();
  return Array.from({ length: count }, () => {
    const tensor = readListed(cursor);
    if (names.has(tensor.name)) throw cursor.damaged(`lists the tensor ${quoted(tensor.name)} twice`);
    names.add(tensor.name);
    return tensor;
  });
}

function readListed(cursor: GgufCursor): Listed {
  const name = cursor.text('the name of a tensor', MAX_NAME);
  const axes = cursor.uint32();
  if (axes < 1 || axes > MAX_AXES) {
    throw cursor.damaged(`gives tensor ${quoted(name)} ${axes} axes; expected 1 to ${MAX_AXES}`);
  }
  // The file names the contiguous axis first.
  const shape = Array.from({ length: axes }, () => Number(cursor.uint64())).reverse();
  const code = cursor.uint32();
  const type = GGUF_TYPES[code] ?? `type ${code}`;
  const offset = Number(cursor.uint64());
  const entries = shape.reduce((product, n) => product * n, 1);
  if (!Number.isSafeInteger(entries) || !shape.every(Number.isSafeInteger)) {
    throw cursor.damaged(`gives tensor ${quoted(name)} the shape (${shape.join(', ')})`);
  }
  if (!Object.hasOwn(WEIGHT_FORMATS, type)) return { name, type, shape, offset, bytes: undefined };
  const cols = shape[axes - 1];
  const block = WEIGHT_FORMATS[type as WeightFormat].entries;
  if (cols % block !== 0) {
    throw cursor.damaged(
      `stores tensor ${quoted(name)} of shape (${shape.join(', ')}) as ${type}; expected rows of a multiple of ${block}`,
    );
  }
  return {
    name,
    type,
    shape,
    offset,
    bytes: weightBytes(type as WeightFormat, cols && entries / cols, cols),
  };
}

/** The tensors with their places in the file. @throws {DataError} one begins off the alignment or ends beyond the file */
export function placeTensors(
  cursor: GgufCursor,
  source: ByteSource,
  tensors: readonly Listed[],
  alignment: number,
): StoredTensor[] {
  const start = Math.ceil(cursor.at / alignment) * alignment;
  return tensors.map((tensor) => {
    const offset = start + tensor.offset;
    if (tensor.offset % alignment !== 0) {
      throw cursor.damaged(
        `places tensor ${quoted(tensor.name)} at ${tensor.offset}; expected a multiple of ${alignment}`,
      );
    }
    if (offset + (tensor.bytes ?? 0) > source.size) {
      throw cursor.damaged(
        `has ${source.size} bytes; tensor ${quoted(tensor.name)} ends at ${offset + (tensor.bytes ?? 0)}`,
      );
    }
    return { ...tensor, source, offset };
  });
}
