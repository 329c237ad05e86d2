// An address that answers: from the first connection it takes to the last byte it sends.

import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { requireInteger, requireNumber } from '../core/check.ts';
import { DataError, MissingDependencyError } from '../core/errors.ts';
import type { RequestRegistry } from './request-life.ts';

export interface ListenOptions {
  /** Address to listen on. Default 127.0.0.1: this machine only. */
  host?: string | undefined;
  /** 0 takes a free one. Default 8080. */
  port?: number | undefined;
  /** Seconds that answers under way get when the server closes. Default 30. */
  shutdownTimeout?: number | undefined;
}

/** What the address answers with. */
export interface Listened {
  fetch: (request: Request) => Response | Promise<Response>;
  requests: RequestRegistry;
  /** Seconds in which the body of a request must be whole. Default 60. */
  bodyTimeout?: number | undefined;
  /** Seconds after which a connection on which nothing moves is closed, although an answer is on its way: nobody reads it. Default: never. */
  idleTimeout?: number | undefined;
}

export interface Listener extends AsyncDisposable {
  /** Where it listens, as http://127.0.0.1:8080. */
  readonly url: string;
  readonly port: number;
  /** Takes no more requests, waits for those under way, breaks them off when their time is over, and ends. */
  close(): Promise<void>;
}

/** Milliseconds for the last bytes of the last answers. */
const FLUSH_TIMEOUT = 5000;

/**
 * Listens on an address.
 *
 * @param where - public function, for messages
 * @param open - makes what answers; it and the packages that it loads are loaded here
 * @throws {InvalidArgumentError} an option is out of range
 * @throws {MissingDependencyError} hono, @hono/node-server or prom-client is not installed
 * @throws {DataError} the address cannot be listened on
 */
export async function listen<T extends Listened>(
  where: string,
  { host = '127.0.0.1', port = 8080, shutdownTimeout = 30 }: ListenOptions,
  open: (host: string) => Promise<T>,
): Promise<{ listener: Listener; answering: T }> {
  requireInteger(`${where}: port`, port, 0, 65535);
  requireNumber(`${where}: shutdownTimeout`, shutdownTimeout, 0, 86400);
  const [answering, createAdaptorServer] = await withServerPackages(where, async () => {
    const [made, adaptor] = await Promise.all([open(host), import('@hono/node-server')]);
    return [made, adaptor.createAdaptorServer] as const;
  });
  const { fetch, requests, bodyTimeout = 60, idleTimeout = 0 } = answering;
  const server = createAdaptorServer({
    fetch,
    overrideGlobalObjects: false,
    // Who sends headers or body too slowly is cut off; Node looks for such clients as often as it is told.
    serverOptions: {
      ...{ headersTimeout: Math.min(10, bodyTimeout) * 1000, requestTimeout: bodyTimeout * 1000 },
      ...{ keepAliveTimeout: 5_000, connectionsCheckingInterval: Math.min(5, bodyTimeout) * 1000 },
    },
  }) as Server;
  server.setTimeout(1000 * idleTimeout);
  const unsent = new Set<ServerResponse>();
  server.on('request', (_, response) => {
    unsent.add(response);
    response.once('close', () => unsent.delete(response));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new DataError(
          `${where}: ${host}:${port} cannot be listened on: ${cause.message}. Take another --port or --host.`,
          { cause },
        ),
      ),
    );
    server.listen(port, host, resolve);
  });
  const { address, family, port: taken } = server.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  const close = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    await requests.drain(shutdownTimeout);
    // The ends of the last answers may still be on their way to slow readers.
    const sent = Promise.all([...unsent].map((response) => once(response, 'close')));
    await Promise.race([sent, closed, delay(FLUSH_TIMEOUT, undefined, { ref: false })]);
    // What is left are connections that a client keeps for its next request.
    server.closeAllConnections();
    await closed;
  };
  const listener: Listener = {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`,
    port: taken,
    close() {
      closing ??= close();
      return closing;
    },
    [Symbol.asyncDispose]() {
      return listener.close();
    },
  };
  return { listener, answering };
}

/** The one door to the packages of the server: loaded when one is started. */
async function withServerPackages<T>(where: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new MissingDependencyError(
      `${where}: a package that serves over HTTP is not installed; expected hono, @hono/node-server and prom-client. Run: npm install hono @hono/node-server prom-client`,
      { cause },
    );
  }
}
