// `provably autobid best-response`: what one advertiser should bid, the others frozen.

import { Command, Option } from 'commander';
import type { CliContext } from '../context.ts';
import { nonNegativeNumber, numberOr, positiveInteger, positiveNumber } from '../parse.ts';
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

export const bestResponsePlaces: FlagPlaces = {
  ...marketPlaces,
  ...searchPlaces,
  advertiser: ['advertiser'],
  format: ['format'],
  segments: ['segments'],
  learnSegments: ['learnSegments'],
  reserve: ['reserve'],
  mixed: ['mixed'],
  others: ['others'],
  campaigns: ['bat', 'campaigns'],
  valuePerContact: ['bat', 'valuePerContact'],
  hours: ['bat', 'hours'],
};

export function autobidBestResponseCommand(context: CliContext): Command {
  const command = new Command('best-response')
    .description('the multipliers with which one advertiser gets most, the others’ bids frozen')
    .argument('[log]', 'CSV, Parquet, JSONL or Arrow with entries of auctions (default: a generated market)')
    .optionsGroup('Question:')
    .option('--advertiser <name>', 'whose bids (default: the first)')
    .option('--segments <count>', 'multipliers it may choose (default: 8)', positiveInteger)
    .option(
      '--learn-segments <count>',
      'merge the segments into so many that serve it best; what they gain on auctions held out, and do to the others',
      positiveInteger,
    )
    .option(
      '--others <bids>',
      'of all others: equilibrium, recorded, or one multiplier for everybody (default: equilibrium)',
      numberOr('equilibrium', 'recorded'),
    )
    .addOption(new Option('--format <format>', 'of the auctions (default: gsp)').choices(formats))
    .option('--reserve <money>', 'reserve price (default: that of the log, else 0)', nonNegativeNumber);
  addLogFlags(command);
  command
    .optionsGroup('Statistics of BAT, with --layout bat and --advertiser <campaign_id>:')
    .option('--value-per-contact <money>', 'most that a contact may cost on average', positiveNumber)
    .option('--campaigns <file>', 'budgets and lives of campaigns (default: no budget, all hours)')
    .addOption(
      new Option('--hours <which>', 'hours that share a bid (default: hour-of-day)').choices([
        ...['campaign', 'hour-of-day', 'hour'],
      ]),
    );
  addGeneratorFlags(command);
  addMixedFlag(addSearchFlags(command));
  return addOutputFlags(command)
    .addHelpText(
      'after',
      `
Examples:
  $ provably autobid best-response auctions.csv --advertiser adv-7 --others recorded --segments 8 --discounts 1,0.7 --out adv-7
  $ provably autobid best-response --generate provably --format fpa --segments 16 --learn-segments 4
  $ provably autobid best-response statistics.csv --layout bat --format vcg --advertiser 17 --value-per-contact 40 --campaigns campaigns.csv`,
    )
    .action(async (log: string | undefined, flags: CommonFlags) => {
      // Loaded when needed: --help and mistakes should not wait for it.
      const { runBestResponse } = await import('./best-response-run.ts');
      await runBestResponse({ ...flags, log }, context);
    });
}
