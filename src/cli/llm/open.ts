// Opens the model that a command names, with its progress on standard error.

import { type OpenedModel, openLanguageModel, openModel } from '../../llm/index.ts';
import type { CliContext } from '../context.ts';
import { showProgress } from '../progress.ts';
import { activationsOf, type ModelChoice, modelPath } from './flags.ts';
import { resolveModel } from './model-path.ts';

export async function openFor(
  flags: ModelChoice & { json?: boolean },
  context: CliContext,
): Promise<OpenedModel> {
  const { signal, stderr, env } = context;
  const activations = activationsOf(flags);
  const stored = await openModel(await resolveModel(modelPath(flags, env), env), { signal });
  using progress = showProgress(context, { quiet: flags.json === true && stderr.isTTY !== true });
  return await openLanguageModel(stored, { activations, signal, onProgress: progress.report });
}
