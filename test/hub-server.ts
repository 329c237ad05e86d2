// A small Hugging Face hub for tests: the addresses that `@huggingface/hub` asks, content with ranges, and every way to fail.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HubServer extends AsyncDisposable {
  /** As http://127.0.0.1:1234. */
  url: string;
  /** What was asked, as "GET /path", with ranges: "GET /path bytes=5-". */
  asked: string[];
  /** Authorization headers of all requests to this server. */
  tokens: (string | undefined)[];
}

export interface HubServerOptions {
  /** Content by path. Names ending in .safetensors or .gguf are LFS files, as on the hub; all others are plain. */
  files: Record<string, Uint8Array>;
  /** owner/name. Default "acme/tiny". */
  repository?: string;
  /** Changes what the listing says. */
  list?: (entries: Record<string, unknown>[]) => unknown[];
  /** Answers a request for content in its own way: true when it did. */
  content?: ((path: string, request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  /** Answers any other request in its own way. */
  api?: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  /** Entries of a page of the listing. Default: all. */
  pageSize?: number;
}

export const COMMIT: string = 'c0ffee'.padEnd(40, '0');

export async function startHub(options: HubServerOptions): Promise<HubServer> {
  const { files, repository = 'acme/tiny', list = (entries) => entries, content, api, pageSize } = options;
  const asked: string[] = [];
  const tokens: HubServer['tokens'] = [];
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url as string, url);
    asked.push(`GET ${pathname}${request.headers.range ? ` ${request.headers.range}` : ''}`);
    tokens.push(request.headers.authorization);
    const json = (status: number, value: unknown, headers = {}) =>
      response
        .writeHead(status, { 'content-type': 'application/json', ...headers })
        .end(JSON.stringify(value));
    if (pathname.startsWith(`/${repository}/resolve/${COMMIT}/`)) {
      const path = decodeURIComponent(pathname.slice(`/${repository}/resolve/${COMMIT}/`.length));
      if (content?.(path, request, response)) return;
      if (!Object.hasOwn(files, path)) return json(404, { error: 'Entry not found' });
      return sendRange(files[path], request, response);
    }
    if (api?.(request, response)) return;
    if (pathname === `/api/models/${repository}/revision/main`) {
      return json(200, { _id: '1', id: repository, sha: COMMIT, lastModified: '2026-01-01T00:00:00Z' });
    }
    if (pathname === `/api/models/${repository}/tree/${COMMIT}`) {
      const entries = list(Object.entries(files).map(([path, bytes]) => entryOf(path, bytes)));
      const start = Number(searchParams.get('cursor') ?? 0);
      const end = start + (pageSize ?? entries.length);
      const next = `<${url}${pathname}?cursor=${end}>; rel="next"`;
      return json(200, entries.slice(start, end), end < entries.length ? { link: next } : {});
    }
    json(404, { error: 'Repository not found' });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...{ url, asked, tokens },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export function entryOf(path: string, bytes: Uint8Array): Record<string, unknown> {
  const blob = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
  const base = { type: 'file', path, size: bytes.length, oid: blob };
  if (!/\.(safetensors|gguf)$/.test(path)) return base;
  const oid = createHash('sha256').update(bytes).digest('hex');
  return { ...base, lfs: { oid, size: bytes.length, pointerSize: 130 }, xetHash: 'f'.repeat(64) };
}

/** The content as the hub sends it: a range where one is asked for. */
export function sendRange(bytes: Uint8Array, request: IncomingMessage, response: ServerResponse): void {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? -1);
  if (start >= bytes.length) {
    response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
  } else if (start >= 0) {
    response
      .writeHead(206, {
        'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}`,
        'content-length': bytes.length - start,
      })
      .end(bytes.subarray(start));
  } else response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
}
