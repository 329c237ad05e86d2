// The work of `provably api-key`.

import { appendFile } from 'node:fs/promises';
import { DataError } from '../../core/errors.ts';
import { createApiKey } from '../../server/index.ts';
import type { ApiKeyFlags } from '../commands/api-key.ts';
import type { CliContext } from '../context.ts';
import { given } from '../given.ts';
import { printJson } from '../output.ts';

export async function runApiKey({ name, role, file, json }: ApiKeyFlags, context: CliContext): Promise<void> {
  const { key, line } = createApiKey(name, role);
  if (file !== undefined) {
    try {
      // Hashes are no secrets, but nobody else needs them either.
      await appendFile(file, `${line}\n`, { mode: 0o600 });
    } catch (cause) {
      throw new DataError(
        `api-key: ${file} cannot be written: ${(cause as Error).message}. Name a file that can.`,
        { cause },
      );
    }
  }
  if (json) printJson(context, { name, ...given({ role }), key, line });
  else context.stdout.write(file === undefined ? `${key}\n${line}\n` : `${key}\n`);
}
