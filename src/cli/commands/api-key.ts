// `provably api-key`: a key for a client of `provably serve`.

import { Command, Option } from 'commander';
import type { Role } from '../../server/index.ts';
import type { CliContext } from '../context.ts';

export interface ApiKeyFlags {
  name: string;
  file?: string;
  role?: Role;
  json: boolean;
}

export function apiKeyCommand(context: CliContext): Command {
  return new Command('api-key')
    .description('make a key for `provably serve`: shown once, kept as a salted hash')
    .option('--name <name>', 'whose it is, as logs will show it', 'client')
    .addOption(
      new Option(
        '--role <role>',
        'for an aggregator: who asks for means, or who reads the audit log',
      ).choices(['analyst', 'auditor']),
    )
    .option('--file <path>', 'add the hash to this file (default: print it too)')
    .option('--json', 'print one JSON object instead of text', false)
    .addHelpText(
      'after',
      '\nExamples:\n  $ provably api-key --name alice --file keys.txt\n  $ provably api-key --name bob --role analyst --file aggregator-keys.txt',
    )
    .action(async (flags: ApiKeyFlags) => {
      // Loaded when needed: --help and mistakes should not wait for it.
      const { runApiKey } = await import('../llm/api-key.ts');
      await runApiKey(flags, context);
    });
}
