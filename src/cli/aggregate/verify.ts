// `provably aggregate verify`: is the ledger sound, and is it the one it was?

import { Command } from 'commander';
import type { CliContext } from '../context.ts';

export interface VerifyFlags {
  head?: string;
  json: boolean;
}

export function aggregateVerifyCommand(context: CliContext): Command {
  return new Command('verify')
    .description(
      'check the ledger of an aggregator from its file alone: chain of hashes, spending, disjoint bags; also while it is served',
    )
    .argument('<ledger>', 'file of `provably serve --labels … --ledger`, or a copy')
    .option(
      '--head <hash>',
      'of an entry that was kept: shows that nothing before it was rewritten or cut off',
    )
    .option('--json', 'print one JSON object instead of text', false)
    .addHelpText(
      'after',
      '\nExample:\n  $ provably aggregate verify ledger.db --head 5b1f…\nExit code 1 when the ledger is not sound.',
    )
    .action(async (ledger: string, flags: VerifyFlags) => {
      // Loaded when needed: --help and mistakes should not wait for it.
      const { runVerify } = await import('./verify-run.ts');
      await runVerify(ledger, flags, context);
    });
}
