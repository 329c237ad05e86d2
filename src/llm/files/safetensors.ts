// The tensors of a .safetensors file, from any byte source.

import { parseSafetensorsHeader, safetensorsHeaderLength } from '../../data/safetensors-header.ts';
import type { ByteSource } from './byte-source.ts';
import type { StoredTensor } from './stored-tensor.ts';

/**
 * Reads the header; tensors stay where they are until `readTensorBytes` asks for them.
 *
 * @throws {DataError} damaged or cut off
 *
 * Time and memory O(header).
 */
export async function openSafetensors(
  source: ByteSource,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<StoredTensor[]> {
  const { name: path, size } = source;
  const where = 'openSafetensors';
  const length = safetensorsHeaderLength(where, path, await source.read(0, 8, options), size);
  const json = await source.read(8, length, options);
  return parseSafetensorsHeader(where, path, json, size).map(({ name, dtype, shape, offset, bytes }) => ({
    ...{ name, type: dtype, shape, source, offset, bytes },
  }));
}
