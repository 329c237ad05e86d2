// `provably aggregate serve`: labels behind an aggregator; the same as `provably serve --labels`.

import { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { addNetworkFlags, type NetworkFlags } from '../network-flags.ts';
import { type AggregatorFlags, addAggregatorFlags } from './serve-flags.ts';

export function aggregateServeCommand(context: CliContext): Command {
  const command = addAggregatorFlags(
    new Command('serve').description(
      'guard labels: answer noisy means of bags to analysts, and keep a ledger of what was spent',
    ),
  );
  return addNetworkFlags(command, '60')
    .addHelpText(
      'after',
      `
Examples:
  $ provably aggregate serve --labels labels.parquet --id id --label spent --bounds 0,50 --min-bag 50 --epsilon 1 --ledger ledger.db
  $ provably api-key --name ann --role analyst --file keys.txt && provably aggregate serve … --host 0.0.0.0 --api-keys-file keys.txt`,
    )
    .action(async (flags: AggregatorFlags & NetworkFlags) => {
      // Loaded when needed: --help and mistakes should not wait for it.
      const { runAggregatorServe } = await import('./serve-run.ts');
      await runAggregatorServe(flags, context);
    });
}
