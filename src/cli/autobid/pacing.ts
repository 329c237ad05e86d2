// `provably autobid pacing`: how budgets hold bids down in first price.

import { Command, InvalidArgumentError } from 'commander';
import type { CliContext } from '../context.ts';
import { list, positiveNumber, seedInteger } from '../parse.ts';
import { addGeneratorFlags, addLogFlags, addOutputFlags, type CommonFlags, marketPlaces } from './flags.ts';
import type { FlagPlaces } from './settings.ts';

export const pacingPlaces: FlagPlaces = { ...marketPlaces, seed: ['seed'], budget: ['budgets'] };

export function autobidPacingCommand(context: CliContext): Command {
  const command = new Command('pacing')
    .description('the pacing equilibrium of first price under budgets: multipliers, prices, who is held back')
    .argument('[log]', 'CSV, Parquet, JSONL or Arrow with entries of auctions (default: a generated market)')
    .optionsGroup('Budgets, above those of the log:')
    .option(
      '--budget <name=money,…>',
      'of an advertiser, or all=money for everybody else that has none',
      budget,
    );
  addLogFlags(command);
  addGeneratorFlags(command).option('--seed <integer>', 'seed of the market (default: 0)', seedInteger);
  return addOutputFlags(command)
    .addHelpText(
      'after',
      `
Examples:
  $ provably autobid pacing auctions.csv --budget all=500,adv-7=50 --out pacing
  $ provably autobid pacing --generate provably --auctions 500 --budget all=40
One slot is sold in each auction, and shared where bids tie: --discounts is 1 unless given.`,
    )
    .action(async (log: string | undefined, flags: CommonFlags) => {
      // Loaded when needed: --help and mistakes should not wait for it.
      const { runPacing } = await import('./pacing-run.ts');
      await runPacing({ ...flags, log }, context);
    });
}

/** Adds `name=money` to those before. */
function budget(text: string, before: Record<string, number> | undefined): Record<string, number> {
  const added = list(text).map((pair) => {
    const at = pair.lastIndexOf('=');
    if (at < 1) throw new InvalidArgumentError('Expected names and money, such as adv-7=50, or all=500.');
    return [pair.slice(0, at), positiveNumber(pair.slice(at + 1))] as const;
  });
  return { ...before, ...Object.fromEntries(added) };
}
