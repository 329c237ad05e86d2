// Models that were pulled, by their names.

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../core/errors.ts';
import { CONFIG } from './choose-files.ts';
import { ggufModels, requireParts } from './gguf-models.ts';
import { folderOf, formatModelName, type ModelName } from './model-name.ts';

/**
 * The path of a pulled model, as `openModel` takes it.
 *
 * @param models - the folder of pulled models
 * @returns undefined when nothing of it was pulled
 * @throws {DataError} it was pulled in part only, or several files are there and the name tells not which
 */
export async function findPulled(models: string, name: ModelName): Promise<string | undefined> {
  const folder = folderOf(models, name);
  const paths = await readdir(folder, { recursive: true }).catch(() => undefined);
  if (!paths) return undefined;
  const { quantisation } = name;
  const called = formatModelName(name);
  const ggufs = ggufModels(paths.map((path) => ({ path: path.replaceAll('\\', '/') })));
  const found = quantisation ? ggufs.filter((model) => model.quantisation === quantisation) : ggufs;
  const isFolder = !quantisation && (await stat(join(folder, CONFIG)).catch(() => undefined))?.isFile();
  if (isFolder) return folder;
  if (found.length === 1) {
    requireParts('model', found[0]);
    return join(folder, found[0].path);
  }
  if (found.length > 1) {
    throw new DataError(
      `model: of ${called} these were pulled: ${found.map(({ path }) => path).join(', ')}; expected one. Name it as owner/name:quantisation, or by its path in ${folder}.`,
    );
  }
  if (!paths.some((path) => path.endsWith('.part'))) return undefined;
  throw new DataError(
    `model: ${called} was pulled in part only; expected all of it. Run \`provably pull ${called}\` again, which goes on where it stopped.`,
  );
}
