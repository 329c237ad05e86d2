// `provably aggregate bag`: who is answered together.

import { Command, Option } from 'commander';
import type { CliContext } from '../context.ts';
import { requireExtension } from '../extensions.ts';
import { UsageError } from '../failure.ts';
import { list, positiveInteger, seedInteger } from '../parse.ts';
import type { FeatureFlags } from './table.ts';

export const bagMethods = ['random', 'chunk', 'slice', 'kmeans'] as const;

export interface BagFlags extends FeatureFlags {
  k: number;
  method: (typeof bagMethods)[number];
  by?: string;
  model?: string;
  seed: number;
  out: string;
  format?: 'attribution' | 'skan';
  keyBase?: string;
  domain?: string;
  json: boolean;
}

export function aggregateBagCommand(context: CliContext): Command {
  return new Command('bag')
    .description('put the rows of a table into bags of at least k, each to be answered by one mean')
    .argument('<table>', 'Parquet, CSV, JSONL or Arrow')
    .optionsGroup('Input:')
    .option('--id <name>', 'column that names the rows (default: row numbers from 0)')
    .option('--features <names>', 'kmeans: columns that rows of a bag are alike in, comma-separated', list)
    .option('--all-but <names>', 'kmeans: instead, every column but these and the id', list)
    .optionsGroup('Bags:')
    .requiredOption('-k, --k <count>', 'rows in a bag, at least', positiveInteger)
    .addOption(
      new Option('--method <method>', 'random; or runs of k (chunk) or the best cuts (slice) of an order')
        .choices(bagMethods)
        .default('random'),
    )
    .option('--by <column>', 'chunk, slice: the order, e.g. a feature or the scores of a model')
    .option('--model <file>', 'chunk, slice: order by the predictions of a model that fit or boost wrote')
    .option('--seed <integer>', 'seed of everything random', seedInteger, 0)
    .optionsGroup('Output:')
    .requiredOption('-o, --out <file>', 'where the bags go: a row for each sample, with its bag')
    .addOption(
      new Option('--format <format>', 'name bags as this platform does, in a column "key"').choices([
        'attribution',
        'skan',
      ]),
    )
    .option('--key-base <key>', 'attribution: first key of this stage, "0x…" (default: 0x0)')
    .option('--domain <file>', 'attribution: write the output domain of the aggregation job, in Avro')
    .option('--json', 'print one JSON object instead of text', false)
    .addHelpText(
      'after',
      `
Examples:
  $ provably aggregate bag people.parquet --id id --k 50 --out bags.parquet
  $ provably aggregate bag people.parquet --id id --k 50 --method slice --model last-year.json --out bags.parquet`,
    )
    .action(async (table: string, flags: BagFlags) => {
      checkBagFlags(flags);
      // Loaded when needed: --help and mistakes should not wait for it.
      const { runBag } = await import('./bag-run.ts');
      await runBag(table, flags, context);
    });
}

function checkBagFlags(flags: BagFlags): void {
  const { method, by, model, features, allBut, format, keyBase, domain, out } = flags;
  requireExtension('--out', out);
  const ordered = method === 'chunk' || method === 'slice';
  if (ordered && (by === undefined) === (model === undefined)) {
    throw new UsageError(`--method ${method} needs an order: give --by or --model, one of them.`);
  }
  if (!ordered && (by ?? model) !== undefined) {
    throw new UsageError(`--by and --model are for chunk and slice; ${method} takes no order.`);
  }
  if (method !== 'kmeans' && (features ?? allBut) !== undefined) {
    throw new UsageError(`--features and --all-but are for kmeans; ${method} does not look at features.`);
  }
  if (format !== 'attribution' && (keyBase ?? domain) !== undefined) {
    throw new UsageError('--key-base and --domain are for --format attribution.');
  }
  if (domain !== undefined) requireExtension('--domain', domain, ['.avro']);
}
