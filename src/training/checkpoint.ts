// Parameters in a file and back: safetensors, which every framework reads.

import type { RunOptions } from '../core/progress.ts';
import { Mlp } from './mlp.ts';
import type { Tensors } from './tensors.ts';

/**
 * Writes tensors as a .safetensors file, whole or not at all.
 *
 * Tensors become matrices, as the writer knows no others: a vector (n,) is stored as (n, 1), (a, b, c) as (a, b · c).
 *
 * @param options.metadata - text by name, e.g. the seed and the data the parameters come from
 */
export async function saveTensors(
  path: string,
  tensors: Tensors,
  options: RunOptions & { metadata?: Readonly<Record<string, string>> } = {},
): Promise<void> {
  const { writeSafetensors } = await import('../data/safetensors.ts');
  const matrices = Object.entries(tensors).map(([name, { shape, data }]) => {
    const rows = shape[0] ?? 1;
    return [name, { data, rows, cols: rows === 0 ? 0 : data.length / rows }];
  });
  await writeSafetensors(path, Object.fromEntries(matrices), options);
}

/** Reads all tensors of a .safetensors file as float32, in their stored shapes. @throws {DataError} {UnsupportedError} missing, damaged, or of a type that is not read */
export async function loadTensors(path: string, options: RunOptions = {}): Promise<Tensors> {
  const { listTensors, safetensorsSource } = await import('../data/safetensors.ts');
  const tensors: Tensors = {};
  for (const { name, shape } of await listTensors(path)) {
    const source = await safetensorsSource(path, name, options);
    const data = new Float32Array(source.rows * source.cols);
    for await (const { start, points } of source.blocks()) data.set(points.data, start * source.cols);
    tensors[name] = { shape, data };
  }
  return tensors;
}

/** Writes a trained perceptron. @see loadMlp */
export function saveMlp(path: string, model: Mlp, options: RunOptions = {}): Promise<void> {
  return saveTensors(path, model.tensors(), { ...options, metadata: { model: 'provably mlp' } });
}

/** Reads what `saveMlp` wrote. @throws {DataError} damaged @throws {ShapeError} the tensors are not those of a perceptron */
export async function loadMlp(path: string, options: RunOptions = {}): Promise<Mlp> {
  return Mlp.fromTensors(await loadTensors(path, options));
}
