// `provably autobid simulate`: a market under given rules, at an equilibrium or at given bids.

import { Command, Option } from 'commander';
import type { CliContext } from '../context.ts';
import { requireExtension } from '../extensions.ts';
import { nonNegativeNumber, numberOr, positiveInteger } from '../parse.ts';
import {
  addGeneratorFlags,
  addLogFlags,
  addMixedFlag,
  addOutputFlags,
  addSearchFlags,
  type CommonFlags,
  formats,
  marketPlaces,
  searchPlaces,
} from './flags.ts';
import type { FlagPlaces } from './settings.ts';

export interface SimulateFlags extends CommonFlags {
  log?: string | undefined;
  /** File of entries. */
  perAuction?: string;
}

export const simulatePlaces: FlagPlaces = {
  ...marketPlaces,
  ...searchPlaces,
  format: ['format'],
  segments: ['segments'],
  reserve: ['reserve'],
  mixed: ['mixed'],
  bids: ['bids'],
};

export function autobidSimulateCommand(context: CliContext): Command {
  const command = new Command('simulate')
    .description('welfare, profit and every advertiser’s share, at a certified equilibrium or at given bids')
    .argument('[log]', 'CSV, Parquet, JSONL or Arrow with entries of auctions (default: a generated market)')
    .optionsGroup('Rules:')
    .addOption(new Option('--format <format>', 'of the auctions (default: gsp)').choices(formats))
    .option('--segments <count>', 'multipliers of each advertiser (default: 1)', positiveInteger)
    .option('--reserve <money>', 'reserve price (default: that of the log, else 0)', nonNegativeNumber)
    .option(
      '--bids <bids>',
      'equilibrium, recorded, or one multiplier for everybody (default: equilibrium)',
      numberOr('equilibrium', 'recorded'),
    );
  addLogFlags(command);
  addGeneratorFlags(command);
  addMixedFlag(addSearchFlags(command));
  return addOutputFlags(command)
    .option(
      '--per-auction <file>',
      'a row for each entry: slot (0: none), payment, and the minimum bids to win any slot and the best; Parquet, CSV, JSONL or Arrow',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ provably autobid simulate auctions.csv --format vcg --segments 4 --discounts 1,0.7 --out market
  $ provably autobid simulate auctions.csv --bids recorded --discounts 1,0.7 --per-auction entries.parquet`,
    )
    .action(async (log: string | undefined, flags: SimulateFlags) => {
      if (flags.perAuction !== undefined) requireExtension('--per-auction', flags.perAuction);
      // Loaded when needed: --help and mistakes should not wait for it.
      const { runSimulate } = await import('./simulate-run.ts');
      await runSimulate({ ...flags, log }, context);
    });
}
