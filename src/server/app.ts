// The routes of a model.

import type { Hono } from 'hono';
import type { RequestLife } from './request-life.ts';
import type { Answer } from './routes/answer.ts';
import { chatCompletions } from './routes/chat.ts';
import { completions } from './routes/completions.ts';
import { embeddings } from './routes/embeddings.ts';
import { modelObject } from './routes/models.ts';
import type { Service } from './service.ts';
import { addPost, createWebApp, type Environment } from './web-app.ts';

const posts: Record<string, (service: Service, life: RequestLife, body: unknown) => Promise<Answer>> = {
  '/v1/completions': completions,
  '/v1/chat/completions': chatCompletions,
  '/v1/embeddings': embeddings,
};

/** @param onLoopback - nobody but this machine can reach the server */
export function createApp(service: Service, onLoopback: boolean): Hono<Environment> {
  const app = createWebApp(service, onLoopback);
  app.get('/v1/models', (c) => c.json({ object: 'list', data: [modelObject(service)] }));
  app.get('/v1/models/:id{.+}', (c) => {
    service.requireModel(c.req.param('id'));
    return c.json(modelObject(service));
  });
  for (const [path, answer] of Object.entries(posts)) {
    addPost(app, service, path, (life, body) => answer(service, life, body));
  }
  return app;
}
