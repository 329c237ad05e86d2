// The work of `provably generate`.

import { readFile } from 'node:fs/promises';
import { text as textOf } from 'node:stream/consumers';
import { DataError } from '../../core/errors.ts';
import { type GenerationStep, TextGenerator } from '../../llm/index.ts';
import { type CliContext, colorsFor } from '../context.ts';
import { UsageError } from '../failure.ts';
import { printJson } from '../output.ts';
import { showProgress } from '../progress.ts';
import { describeBytes, describeCache } from './describe.ts';
import {
  type AttentionChoice,
  attentionOf,
  type CacheChoice,
  type ModelChoice,
  sequenceOptionsOf,
} from './flags.ts';
import { openFor } from './open.ts';
import { type SamplingFlags, samplingOf } from './sampling.ts';

export interface GenerateFlags extends ModelChoice, AttentionChoice, CacheChoice, SamplingFlags {
  file?: string;
  chat: boolean;
  maxTokens: number;
  stop?: string[];
  beyondContext: boolean;
  json: boolean;
}

export async function runGenerate(
  argument: string | undefined,
  flags: GenerateFlags,
  context: CliContext,
): Promise<void> {
  const sequence = sequenceOptionsOf(flags);
  const sampling = samplingOf(flags);
  const given = await promptOf(argument, flags);
  const { model, tokenizer, chatTemplate } = await openFor(flags, context);
  const prompt = flags.chat
    ? chatTemplate().encode([{ role: 'user', content: given }])
    : tokenizer.encode(given);
  const { context: trained, layers } = model.config;
  if (prompt.length > trained && !flags.beyondContext) {
    throw new UsageError(
      `the prompt has ${prompt.length} tokens; expected at most ${trained}, the context of the model. Shorten it, or let it be read all the same by --beyond-context.`,
    );
  }
  const attention = attentionOf(flags, layers);
  const generator = new TextGenerator(model, tokenizer);
  const { stdout, stderr, signal } = context;
  const start = performance.now();
  let [first, output] = [0, ''];
  let last: GenerationStep | undefined;
  {
    using progress = showProgress(context, { quiet: flags.json && stderr.isTTY !== true });
    const steps = generator.generate({
      ...{ prompt, sequence, attention, sampling, signal, maxTokens: flags.maxTokens },
      stop: flags.stop,
      onPrompt: ({ done, total }) => progress.report({ phase: 'reading the prompt', done, total }),
    });
    for await (const step of steps) {
      if (first === 0) {
        first = performance.now();
        progress[Symbol.dispose]();
      }
      output += step.text;
      if (!flags.json) stdout.write(step.text);
      last = step;
    }
  }
  if (!last?.usage) return;
  const { promptTokens, outputTokens } = last.usage;
  const promptSeconds = (first - start) / 1000;
  const outputSeconds = (performance.now() - first) / 1000;
  // The first token comes with the prompt.
  const rate = outputTokens > 1 ? (outputTokens - 1) / outputSeconds : undefined;
  const bytes = last.sequence.bytes();
  if (flags.json) {
    printJson(context, {
      text: output,
      finishReason: last.finishReason,
      usage: last.usage,
      cache: { ...sequence, bytes },
      ...{ promptSeconds, outputSeconds, tokensPerSecond: rate },
      backend: `${model.kernels.backend} ${model.kernels.simd}`,
    });
    return;
  }
  const { dim } = colorsFor(stderr, context.env);
  stdout.write('\n');
  stderr.write(
    dim(
      `${promptTokens} tokens read in ${promptSeconds.toFixed(2)} s (${(promptTokens / promptSeconds).toFixed(0)}/s), ${outputTokens} written${rate === undefined ? '' : ` (${rate.toFixed(1)}/s)`}; ${describeCache(sequence)} keeps ${describeBytes(bytes.total)}.\n`,
    ),
  );
}

async function promptOf(argument: string | undefined, { file }: GenerateFlags): Promise<string> {
  if (argument !== undefined && file !== undefined) {
    throw new UsageError('there is a prompt and --file; expected one of them.');
  }
  if (argument !== undefined) return argument;
  if (file === undefined) {
    if (process.stdin.isTTY)
      throw new UsageError('no prompt: expected one as argument, by --file or on standard input.');
    return textOf(process.stdin);
  }
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new DataError(`generate: ${file} cannot be read: ${(cause as Error).message}. Name a text file.`, {
      cause,
    });
  }
}
