// The work of `provably perplexity`.

import { readFile } from 'node:fs/promises';
import { DataError } from '../../core/errors.ts';
import { type PerplexityOptions, type PerplexityResult, perplexity } from '../../llm/index.ts';
import type { CliContext } from '../context.ts';
import { UsageError } from '../failure.ts';
import { given } from '../given.ts';
import { printJson, printTable } from '../output.ts';
import { showProgress } from '../progress.ts';
import { describeCache } from './describe.ts';
import {
  type AttentionChoice,
  attentionOf,
  type CacheChoice,
  type ModelChoice,
  sequenceOptionsOf,
} from './flags.ts';
import { openFor } from './open.ts';

export interface PerplexityFlags extends ModelChoice, AttentionChoice, CacheChoice {
  tokens?: number;
  prefix?: number;
  exact: boolean;
  json: boolean;
}

interface Row extends PerplexityResult {
  attention: string;
  cache: string;
  seconds: number;
}

export async function runPerplexity(
  file: string,
  flags: PerplexityFlags,
  context: CliContext,
): Promise<void> {
  const kept = sequenceOptionsOf(flags);
  const text = await readFile(file, 'utf8').catch((cause) => {
    throw new DataError(`perplexity: ${file} cannot be read: ${cause.message}. Name a text file.`, { cause });
  });
  const { model, tokenizer } = await openFor(flags, context);
  const all = tokenizer.encode(text);
  const count = flags.tokens ?? Math.min(all.length, model.config.context);
  if (count > all.length) {
    throw new UsageError(`--tokens is ${count}; expected at most ${all.length}, the tokens of the text.`);
  }
  const tokens = all.subarray(0, count);
  const prefix = flags.prefix ?? (flags.cache === 'full' ? undefined : Math.floor(count / 2));
  const attention = attentionOf(flags, model.config.layers);
  const { signal, stderr } = context;
  const measure = async (
    names: Pick<Row, 'attention' | 'cache'>,
    options: PerplexityOptions,
  ): Promise<Row> => {
    const start = performance.now();
    using progress = showProgress(context, { quiet: flags.json && stderr.isTTY !== true });
    const result = await perplexity(model, tokens, {
      ...{ ...options, signal, onProgress: progress.report },
      ...given({ prefix }),
    });
    return { ...names, ...result, seconds: (performance.now() - start) / 1000 };
  };
  const rows = [
    await measure({ attention: flags.attention, cache: describeCache(kept) }, { attention, ...kept }),
  ];
  const differs = flags.attention !== 'exact' || flags.cache !== 'full' || flags.storage !== 'float32';
  if (flags.exact && differs) rows.push(await measure({ attention: 'exact', cache: 'cache full' }, {}));
  if (flags.json) {
    printJson(context, { file, tokens: count, prefix, rows });
    return;
  }
  printTable(
    context,
    [
      { title: 'attention' },
      { title: 'cache' },
      ...['perplexity', 'nats a token', '±', 'tokens scored', 's'].map(
        (title) => ({ title, align: 'right' }) as const,
      ),
    ],
    rows.map((row) => [
      ...[row.attention, row.cache, row.perplexity.toFixed(3), row.nats.toFixed(4)],
      ...[row.standardError.toFixed(4), row.tokens, row.seconds.toFixed(1)],
    ]),
  );
}
