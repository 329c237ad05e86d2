// The work of `provably longeval`.

import { type KeyValueStorage, STORAGES } from '../../kernels/index.ts';
import { CACHE_POLICIES, type CacheOptions } from '../../kv-cache/index.ts';
import { type RetrievalRow, retrievalContest } from '../../llm/index.ts';
import type { CliContext } from '../context.ts';
import { UsageError } from '../failure.ts';
import { printJson, printTable } from '../output.ts';
import { probability } from '../parse.ts';
import { showProgress } from '../progress.ts';
import { describeBytes } from './describe.ts';
import type { ModelChoice } from './flags.ts';
import { openFor } from './open.ts';

export interface LongevalFlags extends ModelChoice {
  lines: number;
  records: number;
  questions: number;
  largest: number;
  policies?: string[];
  shares: string[];
  storage: string;
  plain: boolean;
  seed: number;
  json: boolean;
}

type Budgeted = Exclude<CacheOptions['policy'], 'full' | 'subgen'>;

const BUDGETED = CACHE_POLICIES.filter(
  (policy): policy is Budgeted => policy !== 'full' && policy !== 'subgen',
);

export async function runLongeval(flags: LongevalFlags, context: CliContext): Promise<void> {
  const { lines, records, questions, largest, storage, plain, seed } = flags;
  const unknown = flags.policies?.find((name) => !(BUDGETED as string[]).includes(name));
  if (unknown) throw new UsageError(`--policies names ${unknown}; expected some of ${BUDGETED.join(', ')}.`);
  if (!(STORAGES as readonly string[]).includes(storage)) {
    throw new UsageError(`--storage is ${storage}; expected one of ${STORAGES.join(', ')}.`);
  }
  if (questions > lines) {
    throw new UsageError(`--questions is ${questions}; expected at most ${lines}, the lines of a record.`);
  }
  const policies = ((flags.policies as Budgeted[] | undefined) ?? BUDGETED).map((policy) => ({ policy }));
  const shares = flags.shares.map(probability);
  const { model, tokenizer, chatTemplate } = await openFor(flags, context);
  const { signal, stderr } = context;
  const start = performance.now();
  let rows: RetrievalRow[];
  {
    using progress = showProgress(context, { quiet: flags.json && stderr.isTTY !== true });
    rows = await retrievalContest(model, tokenizer, plain ? undefined : chatTemplate(), {
      ...{ policies, shares, lines, records, questions, largest, seed },
      ...{ storage: storage as KeyValueStorage, signal, onProgress: progress.report },
    });
  }
  const seconds = (performance.now() - start) / 1000;
  if (flags.json) {
    printJson(context, {
      system: 'line retrieval',
      input: { lines, records, questions, largest, seed },
      value: { rows },
      seconds,
    });
    return;
  }
  printTable(
    context,
    [
      { title: 'cache' },
      ...['of full bytes', 'bytes', 'right', 'of', 'accuracy', '95 % interval'].map(
        (title) => ({ title, align: 'right' }) as const,
      ),
    ],
    rows.map(({ policy, share, bytes, right, asked, accuracy, interval }) => [
      ...[policy, `${(100 * share).toFixed(1)} %`, describeBytes(bytes), right, asked],
      ...[accuracy.toFixed(2), `${interval.low.toFixed(2)} … ${interval.high.toFixed(2)}`],
    ]),
  );
}
