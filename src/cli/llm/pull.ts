// The work of `provably pull`.

import { ProvablyError } from '../../core/errors.ts';
import {
  folderOf,
  formatModelName,
  type ModelName,
  modelsFolder,
  type PulledModel,
  parseModelName,
  pullModel,
} from '../../hub/index.ts';
import { checkWeights, openModel } from '../../llm/index.ts';
import type { PullFlags } from '../commands/pull.ts';
import { type CliContext, colorsFor } from '../context.ts';
import { InterruptedError, UsageError } from '../failure.ts';
import { given } from '../given.ts';
import { printJson } from '../output.ts';
import { showProgress } from '../progress.ts';
import { describeBytes } from './describe.ts';

export async function runPull(text: string, flags: PullFlags, context: CliContext): Promise<void> {
  const name = nameOf(text, flags);
  const { env, signal, stderr } = context;
  const pulled = await pull(name, flags, context);
  const unreadable = await whyUnreadable(pulled.path, signal);
  // By its short name where it lies where other commands look.
  const called = flags.to === undefined ? calledIn(name, pulled, flags) : pulled.path;
  const next = `provably generate --model ${/^[\w@%+=:,./-]+$/.test(called) ? called : JSON.stringify(called)} "Once upon a time"`;
  if (flags.json) {
    printJson(context, { ...pulled, readable: unreadable === undefined, ...given({ unreadable, next }) });
    return;
  }
  const { yellow, dim } = colorsFor(context.stdout, env);
  const what = `${pulled.files.length} files, ${describeBytes(pulled.bytes)}`;
  context.stdout.write(
    pulled.received === 0
      ? `${pulled.path}\n${dim(`complete and verified already: ${what}; nothing was fetched.`)}\n`
      : `${pulled.path}\n${dim(`${what}, verified; ${describeBytes(pulled.received)} fetched now. Commit ${pulled.commit}.`)}\n`,
  );
  if (unreadable === undefined) context.stdout.write(`Next: ${next}\n`);
  else stderr.write(`${yellow('warning')} it cannot run here: ${unreadable}\n`);
}

async function pull(name: ModelName, flags: PullFlags, context: CliContext): Promise<PulledModel> {
  const { env, signal, stderr } = context;
  using progress = showProgress(context, {
    quiet: flags.json && stderr.isTTY !== true,
    describe: ({ done, total }) => `${describeBytes(done)} of ${describeBytes(total)}`,
  });
  const { file, endpoint = env.HF_ENDPOINT || undefined } = flags;
  try {
    return await pullModel(formatModelName(name), {
      ...{ to: flags.to ?? folderOf(modelsFolder(env), name), signal, onProgress: progress.report },
      ...{ file, endpoint, token: env.HF_TOKEN?.trim() || undefined },
    });
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new InterruptedError('interrupted; what came is kept, and the same command goes on from there.', {
      cause: error,
    });
  }
}

function nameOf(text: string, { revision, file }: PullFlags): ModelName {
  const name = parseModelName(text);
  if (!name) {
    throw new UsageError(
      `${JSON.stringify(text)} is no name of a model; expected owner/name, owner/name@revision or owner/name:Q4_K_M.`,
    );
  }
  if (file !== undefined && name.quantisation !== undefined) {
    throw new UsageError(`${text} names a quantisation, and --file a file; give one of them.`);
  }
  if (revision === undefined) return name;
  if (text.includes('@'))
    throw new UsageError(`${text} names a revision, and --revision too; give one of them.`);
  const own = parseModelName(`${name.repository}@${revision}`);
  if (!own)
    throw new UsageError(`--revision is ${JSON.stringify(revision)}; expected a branch, a tag or a commit.`);
  return { ...name, revision };
}

/** What --model takes. Of several files in the folder, the path alone is certain to name this one. */
function calledIn(name: ModelName, { kind, path }: PulledModel, { file }: PullFlags): string {
  return kind === 'gguf' && (file !== undefined || name.quantisation === undefined)
    ? path
    : formatModelName(name);
}

/** Headers are enough to know whether the engine computes a model. */
async function whyUnreadable(path: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    checkWeights(await openModel(path, { access: 'read', signal }));
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ProvablyError) return error.message;
    throw error;
  }
}
