// `provably aggregate`: learning from means of bags instead of labels, from the plan to the model.

import { Command } from 'commander';
import { aggregateBagCommand } from '../aggregate/bag.ts';
import { aggregateBoostCommand } from '../aggregate/boost.ts';
import { aggregateFitCommand } from '../aggregate/fit.ts';
import { aggregatePlanCommand } from '../aggregate/plan.ts';
import { aggregateServeCommand } from '../aggregate/serve.ts';
import { aggregateVerifyCommand } from '../aggregate/verify.ts';
import type { CliContext } from '../context.ts';

/** In the order of the work. To add one: write `aggregate/<name>.ts` and name it here. */
const subcommands = [
  aggregatePlanCommand,
  aggregateBagCommand,
  aggregateFitCommand,
  aggregateBoostCommand,
  aggregateServeCommand,
  aggregateVerifyCommand,
];

export function aggregateCommand(context: CliContext): Command {
  const command = new Command('aggregate')
    .description('learn from means of bags of people instead of labels, under label differential privacy')
    .addHelpText(
      'after',
      `
Examples:
  $ provably aggregate plan --n 20000 --d 10 --snr 0.5 --noise 1 --epsilon 1 --bounds -4,4
  $ provably aggregate bag people.parquet --id id --k 50 --out bags.parquet
  $ provably aggregate fit people.parquet --id id --all-but income --bags bags.parquet --answers means.csv --out model.json
  $ provably aggregate boost people.parquet --id id --all-but income --label income --k 50 --epsilon 1 --bounds 0,200 --out model.json
Every subcommand takes --json and --help.`,
    );
  for (const create of subcommands) command.addCommand(create(context));
  return command;
}
