// Which files of a repository make the model that is meant: one GGUF model, or what the engine reads of a folder.

import { DataError, InvalidArgumentError } from '../core/errors.ts';
import { type GgufModel, ggufModels, requireParts } from './gguf-models.ts';
import { printable } from './printable.ts';
import type { RemoteFile } from './repository.ts';

export interface Wish {
  /** Name or path of a GGUF file. */
  file?: string | undefined;
  /** In capitals. */
  quantisation?: string | undefined;
}

export type Choice =
  | { kind: 'gguf'; path: string; files: RemoteFile[] }
  | {
      kind: 'safetensors';
      /** Names the shards; undefined when model.safetensors is all. */
      index: RemoteFile | undefined;
      /** Everything but the shards that the index names; config.json is the last one. */
      files: RemoteFile[];
    };

export const INDEX = 'model.safetensors.index.json';
const WEIGHTS = 'model.safetensors';
export const CONFIG = 'config.json';
const TOKENIZER = 'tokenizer.json';
const HELPFUL = ['tokenizer_config.json', 'generation_config.json', 'chat_template.jinja'];

/**
 * @param files - of the repository
 * @throws {InvalidArgumentError} there are several models and none is named, or none of that name; the message lists them
 * @throws {DataError} the repository holds no model that the engine reads
 */
export function chooseFiles(
  repository: string,
  files: readonly RemoteFile[],
  { file, quantisation }: Wish = {},
): Choice {
  if (file !== undefined) return chosen(ggufNamed(repository, files, file));
  const ggufs = ggufModels(files.filter(isLanguageModel));
  if (quantisation !== undefined) {
    const found = ggufs.filter((model) => model.quantisation === quantisation);
    if (found.length === 1) return chosen(found[0]);
    const what = found.length === 0 ? 'no GGUF file' : `${found.length} GGUF files`;
    throw new InvalidArgumentError(
      `pull: ${repository} has ${what} of the quantisation ${quantisation}. ${listed(ggufs, 'Name one with --file')}`,
    );
  }
  const top = new Map(files.map((entry) => [entry.path, entry]));
  if (top.has(WEIGHTS) || top.has(INDEX)) return folder(repository, top);
  if (ggufs.length === 1) return chosen(ggufs[0]);
  if (ggufs.length > 1) {
    throw new InvalidArgumentError(
      `pull: ${repository} has ${ggufs.length} models. ${listed(ggufs, 'Choose one with --file, or as owner/name:quantisation')}`,
    );
  }
  throw new DataError(
    `pull: ${repository} holds no model that is read here; expected a .gguf file, or ${CONFIG} with ${WEIGHTS} or its shards.`,
  );
}

/**
 * The shards that an index names.
 *
 * @param json - the content of the index
 * @throws {DataError} it is damaged, or names files that the repository has not
 */
export function shardsOf(repository: string, json: unknown, files: readonly RemoteFile[]): RemoteFile[] {
  const map = (json as { weight_map?: unknown } | null)?.weight_map;
  const names = new Set(typeof map === 'object' && map !== null ? Object.values(map) : []);
  if (names.size === 0) {
    throw new DataError(`pull: ${INDEX} of ${repository} names no files; expected a weight_map.`);
  }
  return [...names].map((name) => {
    // The engine looks beside config.json only.
    const found =
      typeof name === 'string' &&
      /^[^/\\]+\.safetensors$/.test(name) &&
      files.find(({ path }) => path === name);
    if (found) return found;
    throw new DataError(
      `pull: ${INDEX} of ${repository} names ${printable(String(name))}, which the repository has not; expected one of its .safetensors files.`,
    );
  });
}

function ggufNamed(repository: string, files: readonly RemoteFile[], name: string): GgufModel<RemoteFile> {
  if (!/\.gguf$/i.test(name)) {
    throw new InvalidArgumentError(
      `pull: --file is ${printable(name)}; expected the name of a .gguf file. Leave it out for models in .safetensors files.`,
    );
  }
  const models = ggufModels(files);
  const byPath = models.filter(({ parts }) => parts.some(({ path }) => path === name));
  const byName = models.filter(({ parts }) => parts.some(({ path }) => path.endsWith(`/${name}`)));
  const found = byPath.length > 0 ? byPath : byName;
  if (found.length === 1) return found[0];
  throw new InvalidArgumentError(
    `pull: ${repository} has ${found.length === 0 ? 'no' : 'several'} ${printable(name)}. ${listed(models, 'Expected one of these, with its folder')}`,
  );
}

function chosen(model: GgufModel<RemoteFile>): Choice {
  requireParts('pull', model);
  const { path, parts } = model;
  return { kind: 'gguf', path, files: parts };
}

function folder(repository: string, top: ReadonlyMap<string, RemoteFile>): Choice {
  for (const name of [CONFIG, TOKENIZER]) {
    if (top.has(name)) continue;
    throw new DataError(
      `pull: ${repository} has weights but no ${name}, which the engine needs. Look for a repository of the model that has one, or for its GGUF file.`,
    );
  }
  const index = top.get(INDEX);
  // The engine prefers the index where there are both. config.json last: where it lies, the model is whole.
  const names = [...(index ? [INDEX] : []), TOKENIZER, ...HELPFUL, ...(index ? [] : [WEIGHTS]), CONFIG];
  return { kind: 'safetensors', index, files: names.flatMap((name) => top.get(name) ?? []) };
}

/** Parts of models of other kinds are packed as GGUF too: the eyes of a model, and statistics for quantising. */
function isLanguageModel({ path }: RemoteFile): boolean {
  return !/(^|[/._-])(mmproj|imatrix)/i.test(path);
}

const MAX_LISTED = 60;

function listed(models: readonly GgufModel<RemoteFile>[], what: string): string {
  if (models.length === 0) return 'There is none at all.';
  const lines = models.slice(0, MAX_LISTED).map(({ path, parts }) => {
    const bytes = parts.reduce((sum, { size }) => sum + size, 0);
    return `\n  ${printable(path).slice(1, -1)}  ${(bytes / 1e6).toFixed(1)} MB`;
  });
  const more = models.length > MAX_LISTED ? `\n  and ${models.length - MAX_LISTED} more` : '';
  return `${what}:${lines.join('')}${more}`;
}
