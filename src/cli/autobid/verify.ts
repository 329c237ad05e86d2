// `provably autobid verify`: a saved profile, believed nothing and recomputed.

import { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { nonNegativeNumber } from '../parse.ts';

export interface VerifyFlags {
  maxRegret?: number;
  maxOverspend?: number;
  json: boolean;
}

export function autobidVerifyCommand(context: CliContext): Command {
  return new Command('verify')
    .description(
      'check a saved profile with the independent verifier: every auction run again, every better reply sought',
    )
    .argument('<profile>', 'file that simulate or replay saved, such as what-if/after.profile.json')
    .argument('[log]', 'the log it is of (default: the one that the file names)')
    .option(
      '--max-regret <share>',
      'most that a deviation may gain (default: what the file claims)',
      nonNegativeNumber,
    )
    .option(
      '--max-overspend <share>',
      'most that spend may pass value or budget by (default: 0.0001)',
      nonNegativeNumber,
    )
    .option('--json', 'print one JSON object instead of text', false)
    .addHelpText(
      'after',
      `
Example:
  $ provably autobid verify what-if/after.profile.json
Exit code 0: accepted. 1: rejected, or not decided.`,
    )
    .action(async (profile: string, log: string | undefined, flags: VerifyFlags) => {
      // Loaded when needed: --help and mistakes should not wait for it.
      const { runVerify } = await import('./verify-run.ts');
      await runVerify(profile, log, flags, context);
    });
}
