// The work of `provably longeval`.

import { FLOAT_STORAGES, type FloatStorage, type KeyValueStorage, STORAGES } from '../../kernels/index.ts';
import { CACHE_POLICIES, type ComparedPolicy } from '../../kv-cache/index.ts';
import { type RetrievalEntrant, type RetrievalRow, retrievalContest } from '../../llm/index.ts';
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

/** Subgen has no budget and asks for a distance that fits the model. */
const POLICIES = CACHE_POLICIES.filter((policy) => policy !== 'subgen');

export async function runLongeval(flags: LongevalFlags, context: CliContext): Promise<void> {
  const { lines, records, questions, largest, storage, plain, seed } = flags;
  const entrants = (flags.policies ?? [...POLICIES.filter((policy) => policy !== 'full'), 'full:k4v2']).map(
    entrantOf,
  );
  if (!(FLOAT_STORAGES as readonly string[]).includes(storage)) {
    throw new UsageError(`--storage is ${storage}; expected one of ${FLOAT_STORAGES.join(', ')}.`);
  }
  if (questions > lines) {
    throw new UsageError(`--questions is ${questions}; expected at most ${lines}, the lines of a record.`);
  }
  const shares = flags.shares.map(probability);
  const { model, tokenizer, chatTemplate } = await openFor(flags, context);
  const { signal, stderr } = context;
  const start = performance.now();
  let rows: RetrievalRow[];
  {
    using progress = showProgress(context, { quiet: flags.json && stderr.isTTY !== true });
    rows = await retrievalContest(model, tokenizer, plain ? undefined : chatTemplate(), {
      ...{ entrants, shares, lines, records, questions, largest, seed },
      ...{ storage: storage as FloatStorage, signal, onProgress: progress.report },
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
      { title: 'storage' },
      ...['at most', 'of full bytes', 'bytes', 'right', 'of', 'accuracy', '95 % interval'].map(
        (title) => ({ title, align: 'right' }) as const,
      ),
    ],
    rows.map(({ policy, storage, share, bytes, bytesShare, right, asked, accuracy, interval }) => [
      ...[policy, storage, percent(share), percent(bytesShare), describeBytes(bytes), right, asked],
      ...[accuracy.toFixed(2), `${interval.low.toFixed(2)} … ${interval.high.toFixed(2)}`],
    ]),
  );
}

/** hybrid, or with a storage of its own hybrid:k4v2. */
function entrantOf(text: string): RetrievalEntrant {
  const [policy, storage, ...rest] = text.split(':');
  if (!(POLICIES as string[]).includes(policy)) {
    throw new UsageError(`--policies names ${text}; expected some of ${POLICIES.join(', ')}.`);
  }
  if (rest.length > 0 || (storage !== undefined && !(STORAGES as readonly string[]).includes(storage))) {
    throw new UsageError(
      `--policies has ${text}; expected a policy and one of ${STORAGES.join(', ')}, as hybrid:k4v2.`,
    );
  }
  const compared = { policy } as ComparedPolicy;
  return storage === undefined
    ? { policy: compared }
    : { policy: compared, storage: storage as KeyValueStorage };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
