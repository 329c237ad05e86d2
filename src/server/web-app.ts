// What every request goes through, whatever the server serves.

import { Hono } from 'hono';
import { cors } from 'hono/cors';
import { requestId } from 'hono/request-id';
import { routePath } from 'hono/route';
import { secureHeaders } from 'hono/secure-headers';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { ApiError } from './api-error.ts';
import type { ApiKeyHash } from './api-keys.ts';
import { requireApiKey, requireLoopbackName } from './guards.ts';
import type { HttpMetrics } from './http-metrics.ts';
import { readJson } from './json-body.ts';
import type { RequestLife, RequestRegistry } from './request-life.ts';
import type { Answer } from './routes/answer.ts';

export interface Environment {
  Variables: { requestId: string; life: RequestLife };
}

/** What the shell of a server works with. */
export interface WebService {
  readonly metrics: HttpMetrics;
  readonly requests: RequestRegistry;
  readonly apiKeys: readonly ApiKeyHash[];
  readonly corsOrigins: readonly string[];
  /** Bytes of a request. */
  readonly maxBody: number;
  /** Seconds that an answer may take. */
  readonly requestTimeout: number;
  /** How it is: "ok", or why it cannot answer; and what else /health tells. */
  health(): { status: string };
  /** What a failure is to the client. */
  explain(cause: unknown, life: RequestLife): ApiError | Promise<ApiError>;
}

/**
 * An app with health, metrics, keys and errors; its own routes are to be added.
 *
 * @param onLoopback - nobody but this machine can reach the server
 */
export function createWebApp(service: WebService, onLoopback: boolean): Hono<Environment> {
  const app = new Hono<Environment>();
  const { requests, apiKeys, corsOrigins } = service;

  app.use(requestId());
  app.use(async (c, next) => {
    const report = {
      id: c.get('requestId'),
      method: c.req.method,
      route: 'other',
      status: 0,
      milliseconds: 0,
    };
    const life = requests.open(report, c.req.raw.signal);
    c.set('life', life);
    await next();
    const route = routePath(c, -1);
    if (!route.includes('*')) report.route = route;
    if (!life.isStreaming) life.end(c.res.status);
  });
  // Whether the way here is encrypted is known to the proxy that does it.
  app.use(secureHeaders({ strictTransportSecurity: false }));
  if (corsOrigins.length > 0) {
    const exposeHeaders = ['x-request-id', 'provably-seed', 'retry-after'];
    app.use(cors({ origin: corsOrigins.includes('*') ? '*' : [...corsOrigins], exposeHeaders }));
  }
  app.use(async (c, next) => {
    if (onLoopback && apiKeys.length === 0) requireLoopbackName(c.req.header('host'));
    // Whoever watches the server has no key.
    if (!c.req.path.startsWith('/health')) {
      const life = c.get('life');
      life.caller = requireApiKey(c.req.header('authorization'), apiKeys);
      life.report.key = life.caller?.name;
    }
    await next();
  });

  app.get('/health/live', (c) => c.json({ status: 'ok' }));
  for (const path of ['/health', '/health/ready']) {
    app.get(path, (c) => {
      const health = service.health();
      if (requests.isDraining) health.status = 'shutting down';
      return c.json(health, health.status === 'ok' ? 200 : 503);
    });
  }
  app.get('/metrics', async (c) => {
    const { body, type } = await service.metrics.text();
    return c.body(body, 200, { 'content-type': type });
  });

  app.notFound((c) => {
    const error = new ApiError(404, `${c.req.method} ${c.req.path} is no address of this server.`, {
      code: 'unknown_url',
    });
    return c.json(error.body, 404);
  });
  app.onError(async (cause, c) => {
    const life = c.get('life');
    // Whatever broke off because of it, the reason is what counts.
    const error = await service.explain(life.signal.aborted ? life.signal.reason : cause, life);
    life.report.error = error.details.code ?? error.body.error.type;
    if (error.status === 500) life.failure = cause;
    const headers: Record<string, string> = {};
    if (error.details.retryAfter !== undefined) headers['retry-after'] = String(error.details.retryAfter);
    if (error.status === 401) headers['www-authenticate'] = 'Bearer';
    // What is left of the body is not read.
    if (error.status === 413) headers.connection = 'close';
    return c.json(error.body, error.status as ContentfulStatusCode, headers);
  });
  return app;
}

/**
 * Adds a route that takes JSON.
 *
 * @param admit - throws before the body is read, when whoever calls may not
 */
export function addPost(
  app: Hono<Environment>,
  service: WebService,
  path: string,
  answer: (life: RequestLife, body: unknown) => Promise<Answer>,
  admit: (life: RequestLife) => void = () => {},
): void {
  app.post(path, async (c) => {
    const life = c.get('life');
    if (service.requests.isDraining) {
      throw new ApiError(503, 'The server is shutting down.', { code: 'shutting_down', retryAfter: 5 });
    }
    admit(life);
    life.limit(service.requestTimeout);
    const { body, headers } = await answer(life, await readJson(c.req.raw, service.maxBody));
    return body instanceof ReadableStream ? c.body(body, 200, headers) : c.json(body, 200, headers);
  });
  app.on(['GET', 'PUT', 'PATCH', 'DELETE'], path, (c) => {
    throw new ApiError(405, `${c.req.method} ${path}: expected POST.`, { code: 'method_not_allowed' });
  });
}
