// What --model means: a path, or the name of a model that was pulled.

import { stat } from 'node:fs/promises';
import { DataError } from '../../core/errors.ts';
import { findPulled, formatModelName, modelsFolder, parseModelName } from '../../hub/index.ts';

/**
 * @returns the path of the model
 * @throws {DataError} it looks like owner/name, is no path, and was not pulled
 */
export async function resolveModel(
  model: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const name = /\.gguf$/i.test(model) ? undefined : parseModelName(model);
  // What is there wins; what is neither is refused by its opener.
  if (!name || (await stat(model).catch(() => undefined))) return model;
  const pulled = await findPulled(modelsFolder(env), name);
  if (pulled !== undefined) return pulled;
  throw new DataError(
    `model: ${model} is no path here, and no model of that name is pulled. Check the path, or run \`provably pull ${formatModelName(name)}\`.`,
  );
}
