// `provably autobid`: markets of auctions between autobidders, from the log to certified equilibria.

import { Command } from 'commander';
import { autobidBestResponseCommand } from '../autobid/best-response.ts';
import { autobidFrontierCommand } from '../autobid/frontier.ts';
import { autobidImportCommand } from '../autobid/import.ts';
import { autobidPacingCommand } from '../autobid/pacing.ts';
import { autobidReplayCommand } from '../autobid/replay.ts';
import { autobidSimulateCommand } from '../autobid/simulate.ts';
import { autobidSweepCommand } from '../autobid/sweep.ts';
import { autobidVerifyCommand } from '../autobid/verify.ts';
import type { CliContext } from '../context.ts';

/** In the order of use. To add one: write `autobid/<name>.ts` and name it here. */
const subcommands = [
  autobidReplayCommand,
  autobidImportCommand,
  autobidSimulateCommand,
  autobidBestResponseCommand,
  autobidFrontierCommand,
  autobidPacingCommand,
  autobidSweepCommand,
  autobidVerifyCommand,
];

export function autobidCommand(context: CliContext): Command {
  const command = new Command('autobid')
    .description('what an auction format does to welfare and profit when bidders autobid')
    .addHelpText(
      'after',
      `
Examples:
  $ provably autobid replay auctions.csv --from gsp --to fpa --segments 8 --segment-by device --out what-if
Every subcommand takes --json and --help.`,
    );
  for (const create of subcommands) command.addCommand(create(context));
  return command;
}
