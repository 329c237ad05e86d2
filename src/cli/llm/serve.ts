// The work of `provably serve`.

import { basename } from 'node:path';
import { isLoopback, startServer, writeLine } from '../../server/index.ts';
import type { CliContext } from '../context.ts';
import { given } from '../given.ts';
import { announceAndWait, type NetworkFlags, readApiKeys } from '../network-flags.ts';
import {
  type AttentionChoice,
  attentionOf,
  type CacheChoice,
  type ModelChoice,
  modelPath,
  sequenceOptionsOf,
} from './flags.ts';
import { openFor } from './open.ts';

export interface ServeFlags extends ModelChoice, AttentionChoice, CacheChoice, NetworkFlags {
  modelName?: string;
  clientPolicies: boolean;
  maxActive: number;
  maxWaiting: number;
  maxContext?: number;
  prefixBytes: number;
  pooling: 'mean' | 'last';
}

/** Serves until the context's signal says to stop; then ends well. */
export async function runServe(flags: ServeFlags, context: CliContext): Promise<void> {
  const { stderr, env } = context;
  const path = modelPath(flags, env);
  const sequence = sequenceOptionsOf(flags);
  const apiKeys = await readApiKeys(flags.apiKeysFile);
  const opened = await openFor(flags, context);
  const log = (line: string) => stderr.write(line);
  const { host, port, maxActive, maxWaiting, maxContext, prefixBytes, maxBody, pooling } = flags;
  const { requestTimeout, shutdownTimeout, clientPolicies, corsOrigin: corsOrigins } = flags;
  const server = await startServer(opened, {
    ...{ host, port, maxActive, maxWaiting, prefixBytes, maxBody, pooling },
    ...{
      shutdownTimeout,
      clientPolicies,
      sequence,
      apiKeys,
      ...given({ maxContext, corsOrigins, requestTimeout }),
    },
    attention: attentionOf(flags, opened.model.config.layers),
    modelName: flags.modelName ?? basename(path).replace(/\.gguf$/i, ''),
    ...(flags.quiet ? {} : { log }),
  });
  if (!isLoopback(host) && apiKeys.length === 0) {
    writeLine(log, 'warn', 'open', {
      message: `everybody who can reach ${host}:${server.port} can use this server: there are no API keys. Make one with \`provably api-key\` and name its file with --api-keys-file.`,
    });
  }
  const { url, model } = server;
  await announceAndWait(flags, context, { url, model }, `${model} at ${url}/v1`);
  writeLine(log, 'info', 'stopping', { ...server.load });
  await server.close();
}
