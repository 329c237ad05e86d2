// `provably aggregate fit`: from bags and their answers to a model.

import { Command, Option } from 'commander';
import type { CliContext } from '../context.ts';
import { requireExtension } from '../extensions.ts';
import { list, nonNegativeNumber, numberOr, positiveNumber, probability, seedInteger } from '../parse.ts';
import { type AnswerFlags, addAnswerFlags, checkAnswerFlags } from './answer-flags.ts';
import type { FeatureFlags } from './table.ts';

export interface FitFlags extends FeatureFlags, AnswerFlags {
  missing: 'error' | 'drop';
  bags: string;
  answers: string;
  family: 'linear' | 'logistic' | 'poisson';
  rho: 'cv' | 'theory' | number;
  ridge?: number;
  weighting: 'size' | 'bag' | 'precision';
  confidence: number;
  seed: number;
  out?: string;
  predict?: string;
  report?: string;
  json: boolean;
}

/** What holds when nothing is said. */
export const fitDefaults = {
  format: 'table',
  missing: 'error',
  counts: 'match',
  family: 'linear',
  rho: 'cv',
  weighting: 'size',
  confidence: 0.95,
} as const;

export function aggregateFitCommand(context: CliContext): Command {
  const command = new Command('fit')
    .description('fit a model to mean responses of bags, with confidence intervals and a certificate')
    .argument('<table>', 'Parquet, CSV, JSONL or Arrow with the features')
    .optionsGroup('Input:')
    .option('--id <name>', 'column that names the rows (default: row numbers from 0)')
    .option('--features <names>', 'columns to learn from, comma-separated', list)
    .option('--all-but <names>', 'instead: every column but these and the id', list)
    .requiredOption('--bags <file>', 'a row for each sample: its name and its "bag", as bag writes it')
    .requiredOption(
      '--answers <file>',
      'what was answered: a table with key (or bag, area), mean, sum or proportion, and count; or --format',
    )
    .option('--epsilon <number>', 'attribution: ε that the platform spent on the report', positiveNumber)
    .addOption(
      new Option('--missing <action>', 'bags without an answer').choices(['error', 'drop']).default('error'),
    );
  return addAnswerFlags(command)
    .optionsGroup('Model:')
    .addOption(
      new Option('--family <family>', 'how responses are distributed')
        .choices(['linear', 'logistic', 'poisson'])
        .default(fitDefaults.family),
    )
    .option(
      '--rho <number>',
      '0 bag-level loss, 1 instance-level loss, between them both; cv chooses over bags, theory for few and random bags',
      numberOr('cv', 'theory'),
      fitDefaults.rho,
    )
    .option('--ridge <number>', 'λ of a ridge on the standardised features', nonNegativeNumber)
    .addOption(
      new Option('--weighting <rule>', 'how much bags count')
        .choices(['size', 'bag', 'precision'])
        .default(fitDefaults.weighting),
    )
    .option('--confidence <probability>', 'of the intervals', probability, fitDefaults.confidence)
    .option('--seed <integer>', 'seed of everything random', seedInteger, 0)
    .optionsGroup('Output:')
    .option('-o, --out <file>', 'the model, as .json')
    .option('--predict <file>', 'predictions for every row of the table')
    .option('--report <file>', 'write a report: .json or .html')
    .option('--json', 'print one JSON object instead of text', false)
    .addHelpText(
      'after',
      `
Example:
  $ provably aggregate fit people.parquet --id id --all-but income --bags bags.parquet --answers means.csv --out model.json`,
    )
    .action(async (table: string, flags: FitFlags) => {
      checkFitFlags(flags);
      // Loaded when needed: --help and mistakes should not wait for it.
      const { runFit } = await import('./fit-run.ts');
      await runFit(table, flags, context);
    });
}

function checkFitFlags(flags: FitFlags): void {
  checkAnswerFlags(flags);
  const { out, predict, report } = flags;
  if (out !== undefined) requireExtension('--out', out, ['.json']);
  if (predict !== undefined) requireExtension('--predict', predict);
  if (report !== undefined) requireExtension('--report', report, ['.json', '.html']);
}
