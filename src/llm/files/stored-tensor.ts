// One tensor of a model file, before anything of it is read.

import { UnsupportedError } from '../../core/errors.ts';
import { dequantise, WEIGHT_FORMATS, type WeightFormat } from '../../kernels/index.ts';
import type { ByteSource } from './byte-source.ts';
import { quoted } from './quoted.ts';

export interface StoredTensor {
  name: string;
  /** How its numbers are stored, in the words of the file: "Q4_K", "BF16", "I64" … */
  type: string;
  /** Sizes of its axes, row-major: the last one is contiguous. A matrix is [rows, cols]. */
  shape: readonly number[];
  /** Where its bytes are; none are known of a type that is not read here. */
  source: ByteSource;
  offset: number;
  bytes: number | undefined;
}

/** How its numbers are stored, of the formats that are computed with. @throws {UnsupportedError} naming tensor and type */
export function formatOf({ name, type, source }: StoredTensor): WeightFormat {
  if (Object.hasOwn(WEIGHT_FORMATS, type)) return type as WeightFormat;
  throw new UnsupportedError(
    `${source.name}: tensor ${quoted(name)} is stored as ${type.slice(0, 20)}; expected one of ${Object.keys(WEIGHT_FORMATS).join(', ')}. Take a file in one of these.`,
  );
}

/**
 * Its bytes as stored: a view where the source has them in memory, which is not to be written.
 *
 * @throws {UnsupportedError} its type is not read here
 */
export async function readTensorBytes(
  tensor: StoredTensor,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<Uint8Array> {
  formatOf(tensor);
  return tensor.source.read(tensor.offset, tensor.bytes as number, options);
}

/** All of its numbers. @throws {UnsupportedError} its type is not read here */
export async function readTensorNumbers(
  tensor: StoredTensor,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<Float32Array> {
  const numbers = new Float32Array(tensor.shape.reduce((product, size) => product * size, 1));
  dequantise(formatOf(tensor), await readTensorBytes(tensor, options), 0, numbers.length, numbers);
  return numbers;
}
