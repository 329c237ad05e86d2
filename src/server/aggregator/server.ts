// An aggregator behind an address.

import type { Aggregator } from '../../aggregate/aggregator/index.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import { isLoopback } from '../guards.ts';
import { type Listener, type ListenOptions, listen } from '../listen.ts';
import type { AggregatorServiceOptions } from './service.ts';

export interface AggregatorServerOptions extends AggregatorServiceOptions, ListenOptions {}

/** `close` ends when every charge that was begun is on disk; the aggregator stays open. */
export type RunningAggregatorServer = Listener;

/**
 * Serves an aggregator: `GET /v1/aggregator`, `POST /v1/aggregator/query` for analysts, `GET /v1/aggregator/log` and
 * `/head` for auditors, `/health`, `/metrics`.
 *
 * Without keys it listens on loopback only: labels are not for everybody who can reach this machine. There is no TLS.
 *
 * @throws {InvalidArgumentError} an option is out of range, a key has no role, or there is no key and others could call
 * @throws {MissingDependencyError} hono, @hono/node-server or prom-client is not installed
 * @throws {DataError} the address cannot be listened on
 */
export async function startAggregatorServer(
  aggregator: Aggregator,
  { host = '127.0.0.1', port, shutdownTimeout, ...options }: AggregatorServerOptions = {},
): Promise<RunningAggregatorServer> {
  if (!isLoopback(host) && (options.apiKeys ?? []).length === 0) {
    throw new InvalidArgumentError(
      `startAggregatorServer: host is ${host} and there are no API keys; expected keys, or an address of this machine only. Make them with \`provably api-key --role analyst\`.`,
    );
  }
  const { listener, answering } = await listen(
    'startAggregatorServer',
    { host, port, shutdownTimeout },
    async () => {
      const [{ AggregatorService }, { createAggregatorApp }] = await Promise.all([
        import('./service.ts'),
        import('./app.ts'),
      ]);
      const service = new AggregatorService(aggregator, options);
      const { fetch } = createAggregatorApp(service, isLoopback(host));
      const { requests, bodyTimeout, requestTimeout } = service;
      // Longer than anything here takes without a byte coming or going.
      const idleTimeout = 1.5 * Math.max(bodyTimeout, requestTimeout);
      return { ...{ fetch, requests, bodyTimeout, idleTimeout }, service };
    },
  );
  let closing: Promise<void> | undefined;
  const close = async () => {
    await listener.close();
    await answering.service.settle();
  };
  const running: RunningAggregatorServer = {
    ...listener,
    close() {
      closing ??= close();
      return closing;
    },
    [Symbol.asyncDispose]() {
      return running.close();
    },
  };
  return running;
}
