// The flags of everything that listens, and what they mean.

import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { DataError } from '../core/errors.ts';
import { type ApiKeyHash, parseApiKeys } from '../server/index.ts';
import type { CliContext } from './context.ts';
import { printJson } from './output.ts';
import { count, positiveInteger, positiveNumber } from './parse.ts';

export interface NetworkFlags {
  host: string;
  port: number;
  apiKeysFile?: string;
  corsOrigin?: string[];
  maxBody: number;
  requestTimeout?: number;
  shutdownTimeout: number;
  quiet: boolean;
  json: boolean;
}

/** @param requestTimeout - the default, in words */
export function addNetworkFlags(command: Command, requestTimeout: string): Command {
  return command
    .optionsGroup('Network:')
    .option('--host <address>', 'to listen on; 0.0.0.0 for all of this machine', '127.0.0.1')
    .option('--port <number>', 'to listen on; 0 for any that is free', count, 8080)
    .option('--api-keys-file <path>', 'only callers with a key of this file; see `provably api-key`')
    .option('--cors-origin <origins...>', 'origins whose pages may call, or *')
    .optionsGroup('Limits:')
    .option('--max-body <bytes>', 'of a request', positiveInteger, 2 ** 20)
    .option(
      '--request-timeout <seconds>',
      `that an answer may take (default: ${requestTimeout})`,
      positiveNumber,
    )
    .option('--shutdown-timeout <seconds>', 'that answers get when the server ends', positiveNumber, 30)
    .optionsGroup('Output:')
    .option('--quiet', 'no line for each request', false)
    .option('--json', 'print where it listens as one JSON object', false);
}

/** @throws {DataError} the file cannot be read, or holds what is no key */
export async function readApiKeys(path: string | undefined): Promise<ApiKeyHash[]> {
  if (path === undefined) return [];
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new DataError(
      `serve: ${path} cannot be read: ${(cause as Error).message}. Make it with \`provably api-key --file\`.`,
      { cause },
    );
  }
  return parseApiKeys(text, path);
}

/** Says where it listens, and waits until the context's signal says to stop. */
export async function announceAndWait(
  { json }: Pick<NetworkFlags, 'json'>,
  context: CliContext,
  facts: { url: string } & Readonly<Record<string, unknown>>,
  text: string,
): Promise<void> {
  const { stdout, signal } = context;
  if (json) printJson(context, facts);
  else stdout.write(`${text}\n`);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
