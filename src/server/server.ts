// A model behind an address.

import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { requireInteger, requireNumber } from '../core/check.ts';
import { DataError, MissingDependencyError } from '../core/errors.ts';
import type { OpenedModel, TextGenerator } from '../llm/index.ts';
import { isLoopback } from './guards.ts';
import type { ServiceOptions } from './service.ts';

export interface ServerOptions extends ServiceOptions {
  /** Address to listen on. Default 127.0.0.1: this machine only. */
  host?: string | undefined;
  /** 0 takes a free one. Default 8080. */
  port?: number | undefined;
  /** Seconds that answers under way get when the server closes. Default 30. */
  shutdownTimeout?: number | undefined;
}

export interface RunningServer extends AsyncDisposable {
  /** Where it listens, as http://127.0.0.1:8080. */
  readonly url: string;
  readonly port: number;
  /** What clients call the model. */
  readonly model: string;
  /** Texts that wait and grow now. */
  readonly load: TextGenerator['load'];
  /** Takes no more requests, waits for those under way, breaks them off when their time is over, and ends. */
  close(): Promise<void>;
}

/** Milliseconds for the last bytes of the last answers. */
const FLUSH_TIMEOUT = 5000;

/**
 * Serves a model by the protocol of the OpenAI API.
 *
 * @throws {InvalidArgumentError} an option is out of range
 * @throws {MissingDependencyError} hono, @hono/node-server or prom-client is not installed
 * @throws {DataError} the address cannot be listened on
 */
export async function startServer(
  opened: OpenedModel,
  { host = '127.0.0.1', port = 8080, shutdownTimeout = 30, ...options }: ServerOptions,
): Promise<RunningServer> {
  requireInteger('startServer: port', port, 0, 65535);
  requireNumber('startServer: shutdownTimeout', shutdownTimeout, 0, 86400);
  const { Service, createApp, createAdaptorServer } = await load();
  const service = new Service(opened, options);
  const app = createApp(service, isLoopback(host));
  const server = createAdaptorServer({
    fetch: app.fetch,
    overrideGlobalObjects: false,
    // Who sends headers or body too slowly is cut off.
    serverOptions: { headersTimeout: 10_000, requestTimeout: 60_000, keepAliveTimeout: 5_000 },
  }) as Server;
  const unsent = new Set<ServerResponse>();
  server.on('request', (_, response) => {
    unsent.add(response);
    response.once('close', () => unsent.delete(response));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new DataError(
          `startServer: ${host}:${port} cannot be listened on: ${cause.message}. Take another --port or --host.`,
          {
            cause,
          },
        ),
      ),
    );
    server.listen(port, host, resolve);
  });
  const { address, family, port: taken } = server.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  const close = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    await service.requests.drain(shutdownTimeout);
    // The ends of the last answers may still be on their way to slow readers.
    const sent = Promise.all([...unsent].map((response) => once(response, 'close')));
    await Promise.race([sent, closed, delay(FLUSH_TIMEOUT, undefined, { ref: false })]);
    // What is left are connections that a client keeps for its next request.
    server.closeAllConnections();
    await closed;
  };
  const running: RunningServer = {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`,
    port: taken,
    model: service.modelName,
    get load() {
      return service.generator.load;
    },
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

/** The one door to the packages of the server: loaded when one is started. */
async function load() {
  try {
    const [{ Service }, { createApp }, { createAdaptorServer }] = await Promise.all([
      import('./service.ts'),
      import('./app.ts'),
      import('@hono/node-server'),
    ]);
    return { Service, createApp, createAdaptorServer };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new MissingDependencyError(
      'startServer: a package that serves over HTTP is not installed; expected hono, @hono/node-server and prom-client. Run: npm install hono @hono/node-server prom-client',
      { cause },
    );
  }
}
