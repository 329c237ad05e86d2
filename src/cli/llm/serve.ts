// The work of `provably serve`.

import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { DataError } from '../../core/errors.ts';
import { type ApiKeyHash, isLoopback, parseApiKeys, startServer, writeLine } from '../../server/index.ts';
import type { CliContext } from '../context.ts';
import { given } from '../given.ts';
import { printJson } from '../output.ts';
import {
  type AttentionChoice,
  attentionOf,
  type CacheChoice,
  type ModelChoice,
  modelPath,
  sequenceOptionsOf,
} from './flags.ts';
import { openFor } from './open.ts';

export interface ServeFlags extends ModelChoice, AttentionChoice, CacheChoice {
  modelName?: string;
  clientPolicies: boolean;
  host: string;
  port: number;
  apiKeysFile?: string;
  corsOrigin?: string[];
  maxActive: number;
  maxWaiting: number;
  maxContext?: number;
  prefixBytes: number;
  maxBody: number;
  requestTimeout: number;
  shutdownTimeout: number;
  pooling: 'mean' | 'last';
  quiet: boolean;
  json: boolean;
}

/** Serves until the context's signal says to stop; then ends well. */
export async function runServe(flags: ServeFlags, context: CliContext): Promise<void> {
  const { stdout, stderr, signal, env } = context;
  const path = modelPath(flags, env);
  const sequence = sequenceOptionsOf(flags);
  const apiKeys = flags.apiKeysFile === undefined ? [] : await readKeys(flags.apiKeysFile);
  const opened = await openFor(flags, context);
  const log = (line: string) => stderr.write(line);
  const { host, port, maxActive, maxWaiting, maxContext, prefixBytes, maxBody, pooling } = flags;
  const { requestTimeout, shutdownTimeout, clientPolicies, corsOrigin: corsOrigins } = flags;
  const server = await startServer(opened, {
    ...{ host, port, maxActive, maxWaiting, prefixBytes, maxBody, pooling, requestTimeout },
    ...{ shutdownTimeout, clientPolicies, sequence, apiKeys, ...given({ maxContext, corsOrigins }) },
    attention: attentionOf(flags, opened.model.config.layers),
    modelName: flags.modelName ?? basename(path).replace(/\.gguf$/i, ''),
    ...(flags.quiet ? {} : { log }),
  });
  if (!isLoopback(host) && apiKeys.length === 0) {
    writeLine(log, 'warn', 'open', {
      message: `everybody who can reach ${host}:${server.port} can use this server: there are no API keys. Make one with \`provably api-key\` and name its file with --api-keys-file.`,
    });
  }
  if (flags.json) printJson(context, { url: server.url, model: server.model });
  else stdout.write(`${server.model} at ${server.url}/v1\n`);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  writeLine(log, 'info', 'stopping', { ...server.load });
  await server.close();
}

async function readKeys(path: string): Promise<ApiKeyHash[]> {
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
