// `provably autobid sweep`: formats × segments × drawn markets, compared in pairs.

import { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { list, nonNegativeNumber, positiveInteger, positiveIntegers, probability } from '../parse.ts';
import {
  addGeneratorFlags,
  addMixedFlag,
  addOutputFlags,
  addSearchFlags,
  type CommonFlags,
  marketPlaces,
  numbers,
  searchPlaces,
} from './flags.ts';
import type { FlagPlaces } from './settings.ts';

export const sweepPlaces: FlagPlaces = {
  generate: marketPlaces.generate,
  advertisers: marketPlaces.advertisers,
  auctions: marketPlaces.auctions,
  discounts: marketPlaces.discounts,
  ...searchPlaces,
  formats: ['formats'],
  segments: ['segments'],
  seeds: ['seeds'],
  reserve: ['reserve'],
  mixed: ['mixed'],
  confidence: ['confidence'],
};

export function autobidSweepCommand(context: CliContext): Command {
  const command = new Command('sweep')
    .description('how formats and finer bidding compare over many drawn markets, with paired differences')
    .optionsGroup('Sweep:')
    .option('--formats <names>', 'of fpa, gsp, vcg, comma-separated (default: all)', list)
    .option('--segments <counts>', 'each a divisor of the next (default: 1,2,4,8)', positiveIntegers)
    .option('--seeds <count>', 'markets drawn, from --seed on (default: 10)', positiveInteger)
    .option('--reserve <money>', 'reserve price (default: 0)', nonNegativeNumber)
    .option('--discounts <numbers>', 'worth of each slot, best first (default: the generator’s)', numbers)
    .option('--confidence <probability>', 'of the intervals (default: 0.95)', probability);
  addGeneratorFlags(command);
  addMixedFlag(addSearchFlags(command));
  return addOutputFlags(command)
    .addHelpText(
      'after',
      `
Example:
  $ provably autobid sweep --formats fpa,gsp,vcg --segments 1,2,4,8 --seeds 10 --seed 200 --out sweep
Finished markets are kept in <folder>/cells: a sweep that was stopped goes on where it was.`,
    )
    .action(async (flags: CommonFlags) => {
      // Loaded when needed: --help and mistakes should not wait for it.
      const { runSweep } = await import('./sweep-run.ts');
      await runSweep(flags, context);
    });
}
