// `provably autobid frontier`: what reserves and boosts do to profit and welfare, bidders adapted to them.

import { Command, InvalidArgumentError, Option } from 'commander';
import { FRONTIER_POLICIES, type FrontierPolicy } from '../../autobidding/index.ts';
import type { CliContext } from '../context.ts';
import { list, nonNegativeNumber, positiveInteger } from '../parse.ts';
import {
  addGeneratorFlags,
  addLogFlags,
  addOutputFlags,
  addSearchFlags,
  type CommonFlags,
  formats,
  marketPlaces,
  numbers,
  searchPlaces,
} from './flags.ts';
import type { FlagPlaces } from './settings.ts';

export const frontierPlaces: FlagPlaces = {
  ...marketPlaces,
  ...searchPlaces,
  format: ['format'],
  segments: ['segments'],
  reserve: ['reserve'],
  policies: ['policies'],
  levels: ['levels'],
  reserves: ['reserves'],
};

export function autobidFrontierCommand(context: CliContext): Command {
  const command = new Command('frontier')
    .description('profit against welfare under reserves and boosts of scores, at certified equilibria')
    .argument('[log]', 'CSV, Parquet, JSONL or Arrow with entries of auctions (default: a generated market)')
    .optionsGroup('What is turned:')
    .option(
      '--policies <names>',
      `of ${FRONTIER_POLICIES.join(', ')} (default: all but reserve, which is there when --reserves is)`,
      policies,
    )
    .option(
      '--levels <numbers>',
      'of each policy without unit: relative-reserve × mean value of the auction, additive-boost × value, multiplicative-boost as exponent (default: 0.5,1)',
      numbers,
    )
    .option('--reserves <money>', 'levels of the policy reserve, e.g. 0.1,0.2', numbers)
    .optionsGroup('Rules:')
    .addOption(new Option('--format <format>', 'of the auctions (default: gsp)').choices(formats))
    .option('--segments <count>', 'multipliers of each advertiser (default: 1)', positiveInteger)
    .option(
      '--reserve <money>',
      'reserve price where no policy sets another (default: that of the log, else 0)',
      nonNegativeNumber,
    );
  addLogFlags(command);
  addGeneratorFlags(command);
  addSearchFlags(command);
  return addOutputFlags(command)
    .addHelpText(
      'after',
      `
Examples:
  $ provably autobid frontier auctions.csv --format vcg --discounts 1,0.7 --out frontier
  $ provably autobid frontier --generate provably --policies additive-boost --levels 0.5,1,2,4`,
    )
    .action(async (log: string | undefined, flags: CommonFlags) => {
      // Loaded when needed: --help and mistakes should not wait for it.
      const { runFrontier } = await import('./frontier-run.ts');
      await runFrontier({ ...flags, log }, context);
    });
}

function policies(text: string): FrontierPolicy[] {
  return list(text).map((name) => {
    const known = FRONTIER_POLICIES.find((policy) => policy === name);
    if (known === undefined)
      throw new InvalidArgumentError(`Expected some of ${FRONTIER_POLICIES.join(', ')}.`);
    return known;
  });
}
