// For tests: a server on a free port, with the official client of the OpenAI API before it.

import OpenAI from 'openai';
import type { OpenedModel } from '../src/llm/index.ts';
import { type RunningServer, type ServerOptions, startServer } from '../src/server/index.ts';

export interface Serving extends AsyncDisposable {
  server: RunningServer;
  client: OpenAI;
  /** Lines of the log, parsed. */
  log: Record<string, unknown>[];
  /** POST with a body as it is, which no client would send. */
  post(path: string, body: BodyInit, init?: RequestInit): Promise<Response>;
}

export async function serve(opened: OpenedModel, options: Partial<ServerOptions> = {}): Promise<Serving> {
  const log: Record<string, unknown>[] = [];
  const server = await startServer(opened, {
    ...{ modelName: 'tiny', port: 0, shutdownTimeout: 5, ...options },
    log: (line) => log.push(JSON.parse(line)),
  });
  return {
    ...{ server, log },
    client: new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 }),
    post: (path, body, init) =>
      fetch(`${server.url}${path}`, {
        ...{ method: 'POST', body, ...init },
        headers: { 'content-type': 'application/json', ...init?.headers },
      }),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

/** Waits until `holds`, looking often. @throws {Error} it does not within a few seconds */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 5000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`not within 5 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
