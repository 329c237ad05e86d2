// `provably autobid import`: a log into a checked table of entries.

import { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { requireExtension } from '../extensions.ts';
import { addLogFlags } from './flags.ts';

export interface ImportFlags {
  out: string;
  json: boolean;
}

export function autobidImportCommand(context: CliContext): Command {
  const command = new Command('import')
    .description('check a log of auctions, report dropped rows, and write a table that all subcommands read')
    .argument('<log>', 'CSV, Parquet, JSONL or Arrow: a row for each entry of an advertiser in an auction');
  return addLogFlags(command)
    .optionsGroup('Output:')
    .requiredOption(
      '-o, --out <file>',
      'where the checked table goes; its discounts go beside it, as <file>.discounts.json',
    )
    .option('--json', 'print one JSON object instead of text', false)
    .addHelpText(
      'after',
      `
Examples:
  $ provably autobid import auctions.csv --columns value=worth,bid=cpc --discounts 1,0.7 --on-invalid drop --out market.parquet
  $ provably autobid import period-7.csv --layout auctionnet --out market.parquet`,
    )
    .action(async (log: string, flags: ImportFlags) => {
      requireExtension('--out', flags.out);
      // Loaded when needed: --help and mistakes should not wait for it.
      const { runImport } = await import('./import-run.ts');
      await runImport(log, flags, context);
    });
}
