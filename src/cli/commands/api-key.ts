// `provably api-key`: a key for a client of `provably serve`.

import { Command } from 'commander';
import type { CliContext } from '../context.ts';

export interface ApiKeyFlags {
  name: string;
  file?: string;
  json: boolean;
}

export function apiKeyCommand(context: CliContext): Command {
  return new Command('api-key')
    .description('make a key for `provably serve`: shown once, kept as a salted hash')
    .option('--name <name>', 'whose it is, as logs will show it', 'client')
    .option('--file <path>', 'add the hash to this file (default: print it too)')
    .option('--json', 'print one JSON object instead of text', false)
    .addHelpText('after', '\nExample:\n  $ provably api-key --name alice --file keys.txt')
    .action(async (flags: ApiKeyFlags) => {
      // Loaded when needed: --help and mistakes should not wait for it.
      const { runApiKey } = await import('../llm/api-key.ts');
      await runApiKey(flags, context);
    });
}
