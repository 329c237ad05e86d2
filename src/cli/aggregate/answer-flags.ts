// How answers are to be read: the flags that fit and boost share.

import { type Command, Option } from 'commander';
import { UsageError } from '../failure.ts';
import { positiveInteger, positiveNumber, share } from '../parse.ts';

export interface AnswerFlags {
  format: 'table' | 'attribution' | 'skan';
  responses?: 'mean' | 'sum' | 'proportion';
  epsilon?: number;
  maxResponse?: number;
  /** Contribution budget of a source. */
  contributionBudget?: number;
  share?: number;
  sourceDigits?: 2 | 3 | 4;
  counts: 'match' | 'ignore';
}

/** All but `--epsilon`, which says more in some commands than in others. */
export function addAnswerFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--format <format>', 'of the answers: a table, a summary report (JSON or .avro), postbacks')
        .choices(['table', 'attribution', 'skan'])
        .default('table'),
    )
    .addOption(
      new Option('--responses <kind>', 'what the column "value" of the answers is').choices([
        'mean',
        'sum',
        'proportion',
      ]),
    )
    .addOption(
      new Option('--counts <rule>', 'counts that are not the size of the bag')
        .choices(['match', 'ignore'])
        .default('match'),
    )
    .option('--max-response <number>', 'attribution, skan: the largest response', positiveNumber)
    .option(
      '--contribution-budget <count>',
      'attribution: L1 budget of a source (default: 65536)',
      positiveInteger,
    )
    .option('--share <share>', 'attribution: part of the budget for these keys (default: 1)', share)
    .option('--source-digits <count>', 'skan: digits of the source identifier (default: 2)', positiveInteger);
}

/** What can be said before a file is opened. */
export function checkAnswerFlags({ format, epsilon, maxResponse, responses }: AnswerFlags): void {
  if (format === 'attribution' && (epsilon === undefined || maxResponse === undefined)) {
    throw new UsageError(
      '--format attribution needs --epsilon, which says how much noise is in the sums, and --max-response, which says how they were scaled.',
    );
  }
  if (format === 'skan' && maxResponse === undefined) {
    throw new UsageError(
      '--format skan needs --max-response: conversion value 63 stands for it, and 0 for 0, in equal steps.',
    );
  }
  if (format !== 'table' && responses !== undefined) {
    throw new UsageError(`--responses is for tables; ${format} says what its numbers are.`);
  }
}
