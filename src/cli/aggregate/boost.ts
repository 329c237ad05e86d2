// `provably aggregate boost`: PriorBoost from a table to a model, with labels here, behind an aggregator, or answered by mail.

import { Command, Option } from 'commander';
import type { CliContext } from '../context.ts';
import { requireExtension } from '../extensions.ts';
import { UsageError } from '../failure.ts';
import {
  bounds,
  list,
  nonNegativeNumber,
  numberOr,
  positiveInteger,
  positiveNumber,
  probability,
  seedInteger,
} from '../parse.ts';
import { type AnswerFlags, addAnswerFlags, checkAnswerFlags } from './answer-flags.ts';
import type { FeatureFlags } from './table.ts';

/** What a run is started with; later calls find it in the state. */
export interface StartFlags {
  features?: string[];
  allBut?: string[];
  k?: number;
  stages?: number;
  preset?: 'paper' | 'best';
  family?: 'linear' | 'logistic' | 'poisson';
  ridge?: number;
  prior?: string;
  priorRho?: number;
  finalRho?: 'cv' | number;
  pool?: 'last' | 'all' | 'skip-random';
  bagger?: 'slice' | 'chunk' | 'buckets';
  times?: string;
  validation?: number;
  stopEarly?: boolean;
  run?: string;
  seed?: number;
}

export interface BoostFlags extends StartFlags, FeatureFlags, AnswerFlags {
  label?: string;
  bounds?: [number, number];
  budget?: number;
  ledger?: string;
  simulate: boolean;
  aggregator?: string;
  apiKeyFile?: string;
  insecure: boolean;
  state?: string;
  ask?: string;
  answers?: string;
  out?: string;
  predict?: string;
  report?: string;
  json: boolean;
}

export function aggregateBoostCommand(context: CliContext): Command {
  const command = new Command('boost')
    .description(
      'PriorBoost: choose bags stage by stage, sorted by the model so far, and learn from their means',
    )
    .argument('<table>', 'Parquet, CSV, JSONL or Arrow with the features')
    .option('--id <name>', 'column that names the rows (default: row numbers from 0)')
    .optionsGroup('Run (kept in --state):')
    .option('--features <names>', 'columns to learn from, comma-separated', list)
    .option('--all-but <names>', 'instead: every column but these, the id and the label', list)
    .option('-k, --k <count>', 'rows in a bag, at least', positiveInteger)
    .option('--stages <count>', 'each asks about rows of its own (default: 4)', positiveInteger)
    .addOption(
      new Option(
        '--preset <preset>',
        'paper: instance-level losses; best: small ρ, all stages, last ρ by cross-validation (default: paper)',
      ).choices(['paper', 'best']),
    )
    .addOption(
      new Option('--family <family>', 'how responses are distributed (default: linear)').choices([
        'linear',
        'logistic',
        'poisson',
      ]),
    )
    .option('--ridge <number>', 'λ of a ridge on the standardised features', nonNegativeNumber)
    .option('--prior <model>', 'sort stage 1 by a model from elsewhere, never fitted to labels of these rows')
    .option('--prior-rho <number>', 'ρ of the fits between stages', nonNegativeNumber)
    .option('--final-rho <number>', 'ρ of the last fit, or cv', numberOr('cv'))
    .addOption(
      new Option('--pool <stages>', 'stages that models are fitted to').choices([
        'last',
        'all',
        'skip-random',
      ]),
    )
    .addOption(
      new Option('--bagger <kind>', 'how predictions become bags (default: slice)').choices([
        'slice',
        'chunk',
        'buckets',
      ]),
    )
    .option('--times <column>', 'stages one after the other in this order, for data that drift')
    .option('--validation <share>', 'rows in random bags that no model is fitted to', probability)
    .option('--stop-early', 'ask no further stage when validation does not improve')
    .option('--run <name>', 'stages are called <name>.1, <name>.2, … (default: priorboost)')
    .option('--seed <integer>', 'seed of stages, bags and fits, and of --simulate (default: 0)', seedInteger)
    .optionsGroup('Labels in this table:')
    .option('--label <column>', 'the labels are here: answer bags in this process')
    .option(
      '--epsilon <number>',
      'ε of each answer; with --answers, the ε they were given with',
      positiveNumber,
    )
    .option('--bounds <L,U>', 'public bounds that labels are clipped to, with --epsilon', bounds)
    .option('--ledger <file>', 'what was spent and answered, over all runs: made if it is not there')
    .option(
      '--budget <number>',
      'ε a person may spend in all, for a new --ledger (default: --epsilon)',
      positiveNumber,
    )
    .option('--simulate', 'noise from the seed, which protects nobody: for experiments', false)
    .optionsGroup('Labels behind an aggregator:')
    .option('--aggregator <url>', 'of a provably aggregate serve')
    .option('--api-key-file <file>', 'that holds the key of an analyst')
    .option('--insecure', 'send key and ids unencrypted to another machine', false)
    .optionsGroup('Labels that others answer later:')
    .option('--state <file>', 'of the run, .json: made if it is not there; call again to go on')
    .option('--ask <file>', 'where the bags of the next stage go, for others to answer')
    .option('--answers <file>', 'what was answered to the bags asked last');
  return addAnswerFlags(command)
    .optionsGroup('Output:')
    .option('-o, --out <file>', 'the model, as .json')
    .option('--predict <file>', 'predictions for every row of the table')
    .option('--report <file>', 'write a report: .json or .html')
    .option('--json', 'print one JSON object instead of text', false)
    .addHelpText('after', boostExamples)
    .action(async (table: string, flags: BoostFlags) => {
      checkBoostFlags(flags);
      // Loaded when needed: --help and mistakes should not wait for it.
      const { runBoost } = await import('./boost-run.ts');
      await runBoost(table, flags, context);
    });
}

const boostExamples = `
Examples:
  $ provably aggregate boost people.parquet --id id --all-but income --label income --k 50 --preset best --epsilon 1 --bounds 0,200 --ledger ledger.json --out model.json
  $ provably aggregate boost people.parquet --id id --all-but name --k 50 --aggregator https://labels.example.org --api-key-file key.txt --out model.json
  $ provably aggregate boost people.parquet --id id --all-but name --k 50 --state run.json --ask stage-1.parquet
  $ provably aggregate boost people.parquet --id id --state run.json --answers means-1.csv --ask stage-2.parquet --out model.json`;

function checkBoostFlags(flags: BoostFlags): void {
  const { label, aggregator, state, ask, answers, epsilon, bounds: range, simulate, ledger, budget } = flags;
  if (label !== undefined && aggregator !== undefined) {
    throw new UsageError('give --label or --aggregator, not both: labels are in one place.');
  }
  const later = label === undefined && aggregator === undefined;
  if (later && state === undefined) {
    throw new UsageError(
      'where are the labels? Give --label (a column), --aggregator (a URL), or --state (bags to be answered later).',
    );
  }
  if (later && answers === undefined && ask === undefined) {
    throw new UsageError('with --state alone, give --ask, where bags go, or --answers to them.');
  }
  if (!later && (ask ?? answers) !== undefined) {
    throw new UsageError(
      '--ask and --answers are for labels that others answer later; here they are asked at once.',
    );
  }
  if (label === undefined) {
    const name = simulate
      ? '--simulate'
      : ledger
        ? '--ledger'
        : budget
          ? '--budget'
          : range
            ? '--bounds'
            : '';
    if (name !== '') throw new UsageError(`${name} is for labels in this table: give --label.`);
  } else {
    if ((epsilon === undefined) !== (range === undefined)) {
      throw new UsageError(
        '--epsilon and --bounds L,U go together: noise is scaled to what one label can change.',
      );
    }
    if (epsilon === undefined && (simulate || ledger !== undefined)) {
      throw new UsageError('--simulate and --ledger need --epsilon: exact means have no noise and no price.');
    }
    if (simulate && ledger !== undefined) {
      throw new UsageError('--simulate protects nobody, so there is nothing for a --ledger to count.');
    }
    if (budget !== undefined && ledger === undefined) throw new UsageError('--budget needs --ledger.');
  }
  if (aggregator === undefined && (flags.apiKeyFile !== undefined || flags.insecure)) {
    throw new UsageError('--api-key-file and --insecure are for --aggregator.');
  }
  if (answers !== undefined) checkAnswerFlags(flags);
  if (state !== undefined) requireExtension('--state', state, ['.json']);
  if (ask !== undefined) requireExtension('--ask', ask);
  if (ledger !== undefined) requireExtension('--ledger', ledger, ['.json']);
  if (flags.out !== undefined) requireExtension('--out', flags.out, ['.json']);
  if (flags.predict !== undefined) requireExtension('--predict', flags.predict);
  if (flags.report !== undefined) requireExtension('--report', flags.report, ['.json', '.html']);
}
