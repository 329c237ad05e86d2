// Models in files of Node: a GGUF file, or a folder as the Hugging Face hub has it.

import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UnsupportedError } from '../../core/errors.ts';
import { requireFile } from '../../data/format.ts';
import { openGgufModel, openHubModel, type StoredModel } from '../model/stored-model.ts';
import type { ByteSource } from './byte-source.ts';
import { type FileSourceOptions, fileSource, fileSourceIfThere } from './file-source.ts';

/**
 * Opens a model: a .gguf file (also the first of several parts), or a folder with config.json and model.safetensors or its shards. Only
 * headers are read; `loadWeights` brings in the rest.
 *
 * @throws {DataError} missing, damaged or incomplete
 * @throws {UnsupportedError} another architecture or format
 */
export async function openModel(
  path: string,
  { signal, ...access }: FileSourceOptions & { signal?: AbortSignal | undefined } = {},
): Promise<StoredModel> {
  const folder = (await stat(path).catch(() => undefined))?.isDirectory();
  if (folder)
    return openHubModel((name) => fileSourceIfThere(join(path, name), access), { signal, name: path });
  await requireFile('openModel', path);
  if (!/\.gguf$/i.test(path)) {
    throw new UnsupportedError(
      `openModel: ${path} is no model that is read here; expected a .gguf file, or a folder with config.json and model.safetensors.`,
    );
  }
  const parts: ByteSource[] = [];
  for (const part of partsOf(path)) parts.push(await fileSource(part, access));
  return openGgufModel(parts, { signal });
}

/** All files of a GGUF model that names its parts "name-00001-of-00003.gguf". */
function partsOf(path: string): string[] {
  const [, stem, count] = /^(.*)-00001-of-(\d{5})\.gguf$/i.exec(basename(path)) ?? [];
  if (stem === undefined) return [path];
  return Array.from({ length: Number(count) }, (_, i) =>
    join(dirname(path), `${stem}-${String(i + 1).padStart(5, '0')}-of-${count}.gguf`),
  );
}
