// `provably autobid replay`: what other rules would have made of a log.

import { Command, Option } from 'commander';
import type { CliContext } from '../context.ts';
import { count, nonNegativeNumber, positiveInteger, probability } from '../parse.ts';
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

export const replayPlaces: FlagPlaces = {
  ...marketPlaces,
  ...searchPlaces,
  from: ['from', 'format'],
  to: ['to', 'format'],
  segments: ['to', 'segments'],
  fromSegments: ['from', 'segments'],
  reserve: ['from', 'reserve'],
  toReserve: ['to', 'reserve'],
  baseline: ['from', 'bids'],
  mixed: ['mixed'],
  resamples: ['bootstrap', 'resamples'],
  resolve: ['bootstrap', 'resolve'],
  confidence: ['bootstrap', 'confidence'],
};

export function autobidReplayCommand(context: CliContext): Command {
  const command = new Command('replay')
    .description('what if the auctions of a log had had other rules? Welfare, profit, winners and losers')
    .argument('[log]', 'CSV, Parquet, JSONL or Arrow: a row for each entry of an advertiser in an auction')
    .optionsGroup('What if:')
    .addOption(new Option('--from <format>', 'format of the day').choices(formats))
    .addOption(new Option('--to <format>', 'format in question').choices(formats))
    .option('--segments <count>', 'multipliers of each advertiser in question (default: 1)', positiveInteger)
    .option(
      '--from-segments <count>',
      'multipliers of each advertiser of the day (default: 1)',
      positiveInteger,
    )
    .option(
      '--reserve <money>',
      'reserve price of the day (default: that of the log, else 0)',
      nonNegativeNumber,
    )
    .option('--to-reserve <money>', 'reserve price in question (default: that of the day)', nonNegativeNumber)
    .addOption(
      new Option('--baseline <bids>', 'bids of the day (default: those recorded if there are any)').choices([
        'recorded',
        'equilibrium',
      ]),
    )
    .optionsGroup('Intervals:')
    .option('--resamples <count>', 'draws of the bootstrap over auctions (default: 1000)', positiveInteger)
    .option(
      '--resolve <count>',
      'instead: find equilibria anew on so many draws, e.g. 40 (default: 0)',
      count,
    )
    .option('--confidence <probability>', 'of the intervals (default: 0.95)', probability)
    .option(
      '--cluster-by <column>',
      'column of what is drawn together: days, users (default: auctions one by one)',
    );
  addLogFlags(command);
  addGeneratorFlags(command);
  addMixedFlag(addSearchFlags(command));
  return addOutputFlags(command)
    .addHelpText('after', examples)
    .action(async (log: string | undefined, flags: CommonFlags) => {
      // Loaded when needed: --help and mistakes should not wait for it.
      const { runReplay } = await import('./replay-run.ts');
      await runReplay({ ...flags, log }, context);
    });
}

const examples = `
Examples:
  $ provably autobid replay auctions.csv --from gsp --to fpa --segments 8 --segment-by device --out what-if
  $ provably autobid replay --generate provably --from gsp --to vcg
auctions.csv: auction_id,advertiser_id,value and, if known, bid, bucket, position_weight, target, price.
A difference is called separated when its interval has one sign and bidders cannot undo it by deviating.`;
