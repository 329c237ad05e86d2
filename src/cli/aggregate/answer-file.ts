// Files of answers: a table of bags, a summary report, postbacks. What a number means is said, never guessed.

import { readFile } from 'node:fs/promises';
import {
  type JoinedAnswers,
  joinAnswers,
  type KeyedAnswers,
  parseSkanPostbacks,
  parseSummaryReport,
  skanSteps,
  summaryReportAnswers,
  tableAnswers,
} from '../../aggregate/index.ts';
import { DataError } from '../../core/errors.ts';
import { openTable, readAvro, type Table } from '../../data/index.ts';
import { UsageError } from '../failure.ts';
import { given } from '../given.ts';
import type { AnswerFlags } from './answer-flags.ts';
import type { NamedBags } from './bag-file.ts';

export interface ReadAnswers extends JoinedAnswers {
  /** What a user should know of how they were read. */
  notes: string[];
}

/** Reads answers and joins them to their bags. @throws {DataError} naming the key that is missing, doubled or of another size */
export async function readAnswers(
  path: string,
  { bags, keys }: NamedBags,
  flags: AnswerFlags & { missing?: 'error' | 'drop' },
  signal: AbortSignal,
): Promise<ReadAnswers> {
  const { answers, notes } = await readKeyed(path, flags, signal);
  const { missing = 'error', counts } = flags;
  const joined = joinAnswers(bags, keys, answers, { missing, counts });
  const { dropped, unused } = joined;
  if (dropped.length > 0) {
    notes.push(
      `${dropped.length} of ${keys.length} bags have no answer and are left out, e.g. ${dropped[0]}`,
    );
  }
  if (unused.length > 0) {
    notes.push(`${unused.length} answers are for keys that are no bag here, e.g. ${unused[0]}`);
  }
  return { ...joined, notes };
}

async function readKeyed(
  path: string,
  flags: AnswerFlags,
  signal: AbortSignal,
): Promise<{ answers: KeyedAnswers; notes: string[] }> {
  const { format, epsilon, maxResponse, contributionBudget: budget, share, sourceDigits } = flags;
  if (format === 'table') {
    await using table = await openTable(path, { signal, textColumns: KEY_NAMES });
    return { answers: await readTable(table, flags), notes: [] };
  }
  // checkAnswerFlags saw to it that these are there.
  const maximum = maxResponse as number;
  if (format === 'attribution') {
    const options = { epsilon: epsilon as number, maxResponse: maximum, ...given({ budget, share }) };
    const answers = /\.avro$/i.test(path)
      ? summaryReportAnswers(await readAvro(path, signal), options)
      : parseSummaryReport(await readAnswerText(path), options);
    return { answers, notes: [] };
  }
  const fine = skanSteps(maximum);
  const { answers, suppressed, repeated } = parseSkanPostbacks(await readAnswerText(path), {
    values: { fine },
    ...given({ sourceDigits }),
  });
  const silent = [...suppressed.values()].reduce((sum, count) => sum + count, 0);
  return {
    answers,
    notes: [
      ...(silent > 0
        ? [
            `${silent} postbacks came without a fine value: small crowds are told less about, so means lean to large ones`,
          ]
        : []),
      ...(repeated > 0 ? [`${repeated} postbacks came more than once and were counted once`] : []),
    ],
  };
}

function readAnswerText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new DataError(`${path} cannot be read (${cause.code}); expected answers there.`, { cause });
  });
}

/** Names of the column that says whose answer it is. */
const KEY_NAMES = ['key', 'bag', 'area'];

/** Names that say what a column of answers is. */
const VALUE_NAMES = {
  mean: ['mean', 'average'],
  sum: ['sum', 'total'],
  proportion: ['proportion', 'share'],
} as const;

async function readTable(table: Table, { responses }: AnswerFlags): Promise<KeyedAnswers> {
  const names = table.columns.map(({ name }) => name);
  const find = (known: readonly string[]): string | undefined => known.find((name) => names.includes(name));
  const expected = (what: string): DataError =>
    new DataError(`${table.path}: it has the columns ${names.join(', ')}; expected ${what}.`);
  const key = find(KEY_NAMES);
  if (key === undefined) throw expected('one named key, bag or area');
  const kinds = (Object.keys(VALUE_NAMES) as (keyof typeof VALUE_NAMES)[]).filter(
    (kind) => find(VALUE_NAMES[kind]) !== undefined,
  );
  const kind = responses ?? (kinds.length === 1 ? kinds[0] : undefined);
  if (kind === undefined) {
    throw new UsageError(
      `${table.path} does not say what its numbers are (columns ${names.join(', ')}): give --responses mean, sum or proportion, or name the column so.`,
    );
  }
  const value = find([...VALUE_NAMES[kind], 'value']);
  if (value === undefined) throw expected(`one named ${[...VALUE_NAMES[kind], 'value'].join(' or ')}`);
  const count = find(['count', 'size', 'n']);
  const noise = find(['noiseVariance', 'noise_variance']);
  return tableAnswers(
    {
      key: (await table.readText(key)).map((name, row) => {
        if (name !== null) return name;
        throw new DataError(`${table.path}: column "${key}" is NULL at row ${row}; expected a key.`);
      }),
      value: await table.readNumbers(value),
      count: count === undefined ? undefined : await table.readNumbers(count),
      noiseVariance: noise === undefined ? undefined : await table.readNumbers(noise),
    },
    { responses: kind },
  );
}
