// The work of `provably embed`.

import { readFile } from 'node:fs/promises';
import { DataError } from '../../core/errors.ts';
import type { RowSource } from '../../core/matrix.ts';
import { yieldToEventLoop } from '../../core/progress.ts';
import { copyRows, writeTable } from '../../data/index.ts';
import { embedTexts, type OpenedModel } from '../../llm/index.ts';
import { type CliContext, colorsFor } from '../context.ts';
import { isTextFile } from '../extensions.ts';
import { columnNamed, openInput } from '../input.ts';
import { printJson } from '../output.ts';
import { writeMatrix } from '../output-file.ts';
import { showProgress } from '../progress.ts';
import type { ModelChoice } from './flags.ts';
import { openFor } from './open.ts';

export interface EmbedFlags extends ModelChoice {
  column?: string;
  pooling: 'mean' | 'last';
  normalise: boolean;
  truncate: boolean;
  out: string;
  copy: boolean;
  json: boolean;
}

/** The column of vectors, or name of the tensor. */
const COLUMN = 'embedding';

export async function runEmbed(path: string, flags: EmbedFlags, context: CliContext): Promise<void> {
  const { signal, stderr, stdout, env } = context;
  const texts = await readTexts(path, flags.column, signal);
  const opened = await openFor(flags, context);
  const { model } = opened;
  using progress = showProgress(context, { quiet: flags.json && stderr.isTTY !== true });
  const { tokens, truncated } = await tokensOf(path, texts, opened, flags.truncate, signal);
  const { pooling, normalise } = flags;
  const start = performance.now();
  const source = embedTexts(model, tokens, { pooling, normalise, signal, onProgress: progress.report });
  await write(path, texts, source, flags, signal);
  progress[Symbol.dispose]();
  const seconds = (performance.now() - start) / 1000;
  const count = tokens.reduce((sum, { length }) => sum + length, 0);
  const { rows, cols } = source;
  if (flags.json) {
    printJson(context, {
      ...{ out: flags.out, rows, cols, tokens: count, truncated, pooling, normalised: normalise },
      ...{ seconds, tokensPerSecond: count / seconds },
      backend: `${model.kernels.backend} ${model.kernels.simd}`,
    });
    return;
  }
  const { dim } = colorsFor(stdout, env);
  const cut = truncated > 0 ? `; ${truncated} cut to ${model.config.context} tokens` : '';
  stdout.write(`${flags.out}: ${rows} texts as vectors of ${cols} numbers${cut}\n`);
  stdout.write(dim(`${count} tokens in ${seconds.toFixed(1)} s (${(count / seconds).toFixed(0)}/s)\n`));
}

async function readTexts(path: string, column: string | undefined, signal: AbortSignal): Promise<string[]> {
  if (!isTextFile(path)) {
    await using table = await openInput(path, { signal });
    return await table.texts(column ?? columnNamed(table, ['text']));
  }
  const content = await readFile(path, { encoding: 'utf8', signal }).catch((cause) => {
    signal.throwIfAborted();
    throw new DataError(`embed: ${path} cannot be read: ${cause.message}. Name a text file.`, { cause });
  });
  const lines = content.replace(/^\ufeff/, '').split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** All texts are looked at before the first is computed: the last one may be too long. @throws {DataError} naming the line */
async function tokensOf(
  path: string,
  texts: readonly string[],
  { model, tokenizer }: OpenedModel,
  truncate: boolean,
  signal: AbortSignal,
): Promise<{ tokens: Uint32Array[]; truncated: number }> {
  const { context } = model.config;
  const place = (i: number) => `${path}: ${isTextFile(path) ? `line ${i + 1}` : `the text of row ${i}`}`;
  if (texts.length === 0) throw new DataError(`embed: ${path} has no texts; expected at least one.`);
  const tokens: Uint32Array[] = [];
  let truncated = 0;
  for (const [i, text] of texts.entries()) {
    if (i % 256 === 0) await yieldToEventLoop();
    signal.throwIfAborted();
    // A text of its own marks alone says nothing.
    if (text.trim() === '') throw new DataError(`embed: ${place(i)} is empty; expected a text. Remove it.`);
    const all = tokenizer.encode(text);
    if (all.length > context) {
      if (!truncate) {
        throw new DataError(
          `embed: ${place(i)} has ${all.length} tokens; expected at most ${context}, the context of the model. Split it, or cut it with --truncate.`,
        );
      }
      truncated++;
    }
    tokens.push(all.length > context ? all.slice(0, context) : all);
  }
  return { tokens, truncated };
}

async function write(
  path: string,
  texts: readonly string[],
  source: RowSource,
  { out, copy }: EmbedFlags,
  signal: AbortSignal,
): Promise<void> {
  if (!copy) await writeMatrix(out, source, COLUMN, { signal });
  else if (isTextFile(path)) await writeTable(out, { text: texts, [COLUMN]: source }, { signal });
  else
    await copyRows(
      path,
      out,
      Uint32Array.from(texts, (_, i) => i),
      { [COLUMN]: source },
      { signal },
    );
}
