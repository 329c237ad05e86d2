// `provably select`: the rows worth a label, a training step or an evaluation, with weights and a certificate.

import { Command, Option } from 'commander';
import type { CliContext } from '../context.ts';
import { tableExtensions } from '../extensions.ts';
import {
  autoOrCount,
  autoOrPositiveInteger,
  list,
  nonNegativeNumber,
  positiveNumber,
  probability,
  seedInteger,
  share,
  size,
} from '../parse.ts';
import { checkFlags, type SelectFlags, selectDefaults } from '../selection/flags.ts';

export function selectCommand(context: CliContext): Command {
  return new Command('select')
    .description(
      'pick the rows worth their cost by clustering and a few losses, with weights and a certificate',
    )
    .argument('<table>', 'Parquet, CSV, JSONL or Arrow with embeddings; or a matrix in .npy or .safetensors')
    .optionsGroup('Input:')
    .option('--column <name>', 'column that holds the embedding as a list, or tensor (default: the only one)')
    .option('--columns <names>', 'number columns that make up the embedding, comma-separated', list)
    .option('--id <name>', 'column that names the rows (default: row numbers from 0)')
    .optionsGroup('Losses:')
    .option(
      '--losses <column or file>',
      'losses you have: a column of the table, or a file with a column "loss"',
    )
    .option(
      '--loss-command <command>',
      'losses on demand: reads ids as lines, answers one loss a line, in order',
    )
    .option('--model <name>', 'name of the model the losses come from, kept with them (default: its source)')
    .option('--journal <file>', 'where answers of --loss-command are kept (default: <out>.losses.jsonl)')
    .optionsGroup('Selection:')
    .option('-s, --size <count or percent>', 'rows to pick: 500, or 1%', size)
    .option(
      '--epsilon <share>',
      'instead of --size: error to promise, as a share of the score total',
      probability,
    )
    .addOption(
      new Option('--mode <mode>', 'how scores are made')
        .choices(['robust', 'balanced', 'paper'])
        .default(selectDefaults.mode),
    )
    .addOption(
      new Option('--scheme <scheme>', 'how rows are drawn')
        .choices(['fixed-size', 'hansen-hurwitz', 'poisson', 'gumbel'])
        .default(selectDefaults.scheme),
    )
    .option(
      '-k, --k <count>',
      'clusters, each of which asks one loss',
      autoOrPositiveInteger,
      selectDefaults.k,
    )
    .option(
      '--alpha <share>',
      'share of the probability spread evenly (default: 0.2; 0 with --mode paper)',
      share,
    )
    .option('--lambda <number>', 'loss change per distance^power (default: estimated)', nonNegativeNumber)
    .option(
      '--power <number>',
      'power of the distances: 2 k-means, 1 k-median',
      positiveNumber,
      selectDefaults.power,
    )
    .option('--probes <count>', 'further losses asked per cluster', autoOrCount, selectDefaults.probes)
    .option('--delta <probability>', 'chance that the bound may fail', probability, selectDefaults.delta)
    .addOption(
      new Option('--metric <metric>', 'distance of embeddings')
        .choices(['euclidean', 'cosine'])
        .default(selectDefaults.metric),
    )
    .option(
      '--max-loss <number>',
      'no loss is larger, e.g. 1 for 0/1 errors: the bound then needs no assumption',
      positiveNumber,
    )
    .addOption(
      new Option('--on-invalid <action>', 'rows with NaN or infinite values')
        .choices(['reject', 'drop'])
        .default(selectDefaults.onInvalid),
    )
    .option('--seed <integer>', 'seed of everything random', seedInteger, selectDefaults.seed)
    .optionsGroup('Output:')
    .option('-o, --out <file>', `where the picked rows go: ${tableExtensions.join(', ')}`)
    .option('--copy', 'write the picked rows with all their columns, and their weight', false)
    .option('--report <file>', 'write a report: .json or .html')
    .option(
      '--estimate',
      'also ask the losses of the picked rows and estimate the mean loss of all (free with --losses)',
      false,
    )
    .option(
      '--audit',
      'also compare with the exact total; with --loss-command this asks the loss of EVERY row',
      false,
    )
    .option('--json', 'print one JSON object instead of text', false)
    .addHelpText('after', selectExamples)
    .action(async (table: string, flags: SelectFlags) => {
      checkFlags(flags);
      // Loaded when needed: --help and mistakes should not wait for it.
      const { runSelect } = await import('../selection/run.ts');
      await runSelect(table, flags, context);
    });
}

const selectExamples = `
Examples:
  $ provably select embeddings.parquet --column embedding --losses loss --size 1% --out picked.parquet
  $ provably select vectors.npy --loss-command 'python losses.py' --size 500 --out picked.csv --report picked.html
A run that was stopped goes on where it was: answers of --loss-command are kept in the journal.`;
