// The routes of the aggregator: analysts ask, auditors read.

import type { Hono } from 'hono';
import { parseBody } from '../json-body.ts';
import { addPost, createWebApp, type Environment } from '../web-app.ts';
import { logSchema, querySchema } from './schemas.ts';
import type { AggregatorService } from './service.ts';

/** @param onLoopback - nobody but this machine can reach the server */
export function createAggregatorApp(service: AggregatorService, onLoopback: boolean): Hono<Environment> {
  const app = createWebApp(service, onLoopback);
  const { aggregator } = service;
  app.get('/v1/aggregator', (c) => c.json(aggregator.info()));
  addPost(
    app,
    service,
    '/v1/aggregator/query',
    async (life, body) => ({ body: await service.query(life, parseBody(querySchema, body)), headers: {} }),
    (life) => service.requireRole(life, 'analyst'),
  );
  app.get('/v1/aggregator/log', (c) => {
    service.requireRole(c.get('life'), 'auditor');
    const { from, limit } = parseBody(logSchema, c.req.query());
    return c.json({ entries: aggregator.entries(from, limit), ...aggregator.head });
  });
  app.get('/v1/aggregator/head', (c) => {
    service.requireRole(c.get('life'), 'auditor');
    return c.json(aggregator.head);
  });
  return app;
}
