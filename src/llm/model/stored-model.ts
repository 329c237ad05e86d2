// A model as it lies in its files: what it is, and where its tensors are. From byte sources, so that a browser can do it too.

import { z } from 'zod';
import { DataError } from '../../core/errors.ts';
import type { ByteSource } from '../files/byte-source.ts';
import { openGguf } from '../files/gguf.ts';
import type { GgufMetadata } from '../files/gguf-metadata.ts';
import { quoted } from '../files/quoted.ts';
import { openSafetensors } from '../files/safetensors.ts';
import type { StoredTensor } from '../files/stored-tensor.ts';
import { parseFields } from './config-fields.ts';
import { configFromGguf } from './gguf-config.ts';
import { configFromHub } from './hub-config.ts';
import type { ModelConfig } from './model-config.ts';
import { GGUF_NAMES, HUB_NAMES, type TensorNaming } from './tensor-names.ts';

/** Finds a file of a model by its name: "config.json", "tokenizer.json" … Undefined when there is none. */
export type FindFile = (name: string) => Promise<ByteSource | undefined>;

export interface StoredModel {
  config: ModelConfig;
  /** By their names in the files. */
  tensors: ReadonlyMap<string, StoredTensor>;
  naming: TensorNaming;
  /** Of a GGUF file: all its values, also the tokenizer's. */
  metadata?: GgufMetadata;
  /** Of a folder: the other files beside the weights. */
  find?: FindFile;
}

interface OpenOptions {
  signal?: AbortSignal | undefined;
}

/**
 * Opens a GGUF model.
 *
 * @param parts - its files in order; most models are one
 * @throws {DataError} damaged, incomplete or not parts of one model
 * @throws {UnsupportedError} another architecture, or a property that is not computed
 */
export async function openGgufModel(
  parts: readonly ByteSource[],
  options: OpenOptions = {},
): Promise<StoredModel> {
  const files = await Promise.all(parts.map((part) => openGguf(part, options)));
  for (const [i, { metadata }] of files.entries()) {
    const [number, count] = [metadata.get('split.no') ?? 0, metadata.get('split.count') || 1];
    if (number !== i || count !== parts.length) {
      throw new DataError(
        `openGgufModel: ${parts[i].name} is part ${Number(number) + 1} of ${String(count)}; expected part ${i + 1} of ${parts.length}. Name all parts in order, or the first of those in one folder.`,
      );
    }
  }
  const tensors = byName(files.flatMap((file) => file.tensors));
  const [{ metadata }] = files;
  return { config: await configFromGguf(metadata, tensors, options), tensors, naming: GGUF_NAMES, metadata };
}

const indexSchema = z.object({
  weight_map: z.record(z.string(), z.string().regex(/^[^/\\]+\.safetensors$/)),
});

/**
 * Opens a model of the Hugging Face hub: config.json with model.safetensors, or with the shards that model.safetensors.index.json names.
 *
 * @param options.name - what messages call the folder
 * @throws {DataError} a file is missing, damaged or does not fit the others
 * @throws {UnsupportedError} another architecture, or a property that is not computed
 */
export async function openHubModel(
  find: FindFile,
  { name: folder = 'the model', ...options }: OpenOptions & { name?: string | undefined } = {},
): Promise<StoredModel> {
  const config = await readJson(await need(folder, find, 'config.json'), options);
  const index = await find('model.safetensors.index.json');
  const names = index
    ? new Set(Object.values(parseFields(index.name, indexSchema, await readJson(index, options)).weight_map))
    : ['model.safetensors'];
  const shards: StoredTensor[][] = [];
  for (const name of names) shards.push(await openSafetensors(await need(folder, find, name), options));
  const tensors = byName(shards.flat());
  return { config: configFromHub(config, tensors), tensors, naming: HUB_NAMES, find };
}

async function need(folder: string, find: FindFile, name: string): Promise<ByteSource> {
  const source = await find(name);
  if (source) return source;
  throw new DataError(
    `openHubModel: ${folder} has no ${name}; expected config.json and model.safetensors, or model.safetensors.index.json with all shards. Fetch the whole model.`,
  );
}

/** No configuration comes near this. */
const MAX_JSON = 2 ** 26;

async function readJson(source: ByteSource, options: OpenOptions): Promise<unknown> {
  const { name, size } = source;
  if (size > MAX_JSON) {
    throw new DataError(
      `openHubModel: ${name} has ${size} bytes; expected ≤ ${MAX_JSON}. It is no such file.`,
    );
  }
  const bytes = await source.read(0, size, options);
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new DataError(`openHubModel: ${name} is no JSON; expected an object. Fetch it anew.`, { cause });
  }
}

function byName(tensors: readonly StoredTensor[]): Map<string, StoredTensor> {
  const map = new Map<string, StoredTensor>();
  for (const tensor of tensors) {
    const other = map.get(tensor.name);
    if (other) {
      throw new DataError(
        `openModel: tensor ${quoted(tensor.name)} is in ${other.source.name} and in ${tensor.source.name}; expected it once. Fetch the model anew.`,
      );
    }
    map.set(tensor.name, tensor);
  }
  return map;
}
