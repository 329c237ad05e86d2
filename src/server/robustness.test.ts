// The server when clients are rude, too many, too slow or gone.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import OpenAI from 'openai';
import { type Serving, serve, until } from '../../test/serving.ts';
import { servingModel } from '../../test/serving-model.ts';
import { createApp } from './app.ts';
import { createApiKey, parseApiKeys, type RunningServer } from './index.ts';
import { Service } from './service.ts';

const opened = await servingModel();
const tiny = { model: 'tiny' } as const;
const endless = { ...tiny, prompt: 'Tell me', max_tokens: 480, ...{ ignore_eos: true } } as const;

const isIdle = ({ load }: RunningServer) => load.active + load.waiting === 0;

/** A connection as it is. @returns all that came until it was closed */
function rawRequest(server: RunningServer, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(server.port, '127.0.0.1', () => socket.end(text));
    socket.setEncoding('latin1').on('data', (data) => {
      received += data;
    });
    socket.on('close', () => resolve(received)).on('error', reject);
  });
}

function bodyHead(server: RunningServer, path: string, length: number | string): string {
  const size = typeof length === 'number' ? `content-length: ${length}` : length;
  return `POST ${path} HTTP/1.1\r\nhost: localhost:${server.port}\r\ncontent-type: application/json\r\n${size}\r\nconnection: close\r\n\r\n`;
}

const strict = await serve(opened, { maxBody: 20_000, clientPolicies: true });
after(() => strict.server.close());

describe('malformed requests', () => {
  const { server, client, post, log } = strict;

  const paths = ['/v1/completions', '/v1/chat/completions', '/v1/embeddings'];
  const fields = [
    ...['model', 'prompt', 'messages', 'input', 'max_tokens', 'temperature', 'top_p', 'top_k', 'n', 'stop'],
    ...['stream', 'stream_options', 'logprobs', 'top_logprobs', 'logit_bias', 'seed', 'echo', 'provably'],
    ...['encoding_format', 'dimensions', 'chat_template_kwargs', 'min_p', '__proto__', 'constructor'],
  ];

  it('never make the server fail', async () => {
    const statuses = new Map<number, number>();
    const send = async (path: string, body: string) => {
      const response = await post(path, body);
      const text = await response.text();
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
      assert.ok(response.status < 500, `${path} ${body}: ${response.status} ${text}`);
      if (response.status === 200) return;
      const { error } = JSON.parse(text);
      assert.deepEqual(Object.keys(error), ['message', 'type', 'param', 'code']);
    };
    const odd = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.constantFrom(...[0, -1, 1e300, 2 ** 31, 0.5, '', 'tiny', '\ud800', null, true]),
      fc.array(fc.oneof(fc.integer({ min: -1, max: 1200 }), fc.string()), { maxLength: 4 }),
      fc.array(fc.record({ role: fc.constantFrom('user', 'assistant', 'tool'), content: fc.jsonValue() })),
    );
    // A request that could be answered, with some fields changed: most faults lie behind the first check.
    const sound = {
      '/v1/completions': { ...tiny, prompt: 'Hi', max_tokens: 2 },
      '/v1/chat/completions': { ...tiny, messages: [{ role: 'user', content: 'Hi' }], max_tokens: 2 },
      '/v1/embeddings': { ...tiny, input: 'Hi' },
    } as Record<string, object>;
    const changed = fc.asyncProperty(
      fc.constantFrom(...paths),
      fc.dictionary(fc.constantFrom(...fields), odd, { maxKeys: 3 }),
      (path, change) => send(path, JSON.stringify({ ...sound[path], ...change })),
    );
    await fc.assert(changed, { seed: 11, numRuns: 400 });
    const cut = fc.asyncProperty(fc.constantFrom(...paths), fc.nat(60), fc.string(), (path, at, junk) => {
      const body = JSON.stringify(sound[path]);
      return send(path, body.slice(0, at) + junk + body.slice(at + 1));
    });
    await fc.assert(cut, { seed: 12, numRuns: 150 });
    assert.ok((statuses.get(200) ?? 0) > 20, 'some requests were sound');
    assert.ok((statuses.get(400) ?? 0) > 100, 'most were not');
    assert.ok(isIdle(server));
    assert.ok(!log.some(({ stack }) => stack));
  });

  it('are refused by type, length and address', async () => {
    const body = JSON.stringify({ ...tiny, prompt: 'a', max_tokens: 1 });
    const plain = await post('/v1/completions', body, { headers: { 'content-type': 'text/plain' } });
    assert.equal(plain.status, 415);
    const long = JSON.stringify({ ...tiny, prompt: 'a'.repeat(30_000) });
    assert.equal((await post('/v1/completions', long)).status, 413);
    assert.match(await rawRequest(server, bodyHead(server, '/v1/completions', 1e9)), /^HTTP\/1.1 413/);
    // A length that is only known at the end.
    const chunks = `${(20_001).toString(16)}\r\n${'x'.repeat(20_001)}\r\n0\r\n\r\n`;
    const head = bodyHead(server, '/v1/completions', 'transfer-encoding: chunked');
    assert.match(await rawRequest(server, head + chunks), /^HTTP\/1.1 413/);
    assert.equal((await fetch(`${server.url}/v1/none`)).status, 404);
    assert.equal((await fetch(`${server.url}/v1/completions`)).status, 405);
    assert.match(await rawRequest(server, 'nonsense\r\n\r\n'), /^HTTP\/1.1 400/);
    const rebound = 'GET /v1/models HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n';
    assert.match(await rawRequest(server, rebound), /^HTTP\/1.1 403/);
    const preflight = await fetch(`${server.url}/v1/models`, { headers: { origin: 'https://evil.example' } });
    assert.equal(preflight.headers.get('access-control-allow-origin'), null);
    assert.equal((await post('/v1/completions', body)).status, 200);
  });

  it('may choose a policy where that is allowed', async () => {
    const request = { ...tiny, prompt: 'word '.repeat(60), max_tokens: 4, temperature: 0 };
    const bounded = { cache: { policy: 'sink-window', budget: 8, sinks: 2 }, storage: 'float16' };
    const [usual, small] = await Promise.all([
      client.completions.create(request),
      client.completions.create({ ...request, ...{ provably: bounded } }),
    ]);
    assert.equal(small.choices[0].finish_reason, 'length');
    assert.notEqual(usual.choices[0].text, small.choices[0].text);
    const wrong = await post(
      '/v1/completions',
      JSON.stringify({ ...request, provably: { cache: { policy: 'h2o', delta: 1 } } }),
    );
    assert.equal(wrong.status, 400);
  });
});

describe('clients that leave', () => {
  it('set free what they had, streaming or not', async () => {
    await using serving = await serve(opened);
    const { server, client, log } = serving;
    for (const stream of [true, false]) {
      const leaving = new AbortController();
      const call = client.completions.create({ ...endless, stream } as never, { signal: leaving.signal });
      const outcome = (async () => {
        const answer = (await call) as unknown as AsyncIterable<unknown>;
        for await (const _ of answer);
      })();
      await until(() => server.load.active === 1, 'the text grows');
      leaving.abort();
      // A stream that is aborted just ends, the call for a whole answer rejects.
      await outcome.catch((error) => assert.ok(error instanceof OpenAI.APIUserAbortError));
      await until(() => isIdle(server), 'the text is dropped');
      await until(() => log.some(({ error }) => error === 'client_left'), 'the log says so');
      assert.deepEqual([log.at(-1)?.status, log.at(-1)?.error], [499, 'client_left']);
      const output = (log.at(-1)?.tokens as { output: number } | undefined)?.output ?? 0;
      assert.ok(output < 480, `${output} tokens`);
      log.length = 0;
    }
  });

  it('while they wait, or before their body is whole', async () => {
    await using serving = await serve(opened, { maxActive: 1 });
    const { server, client } = serving;
    const first = await client.completions.create({ ...endless, stream: true });
    const leaving = new AbortController();
    const waiting = client.completions.create(endless, { signal: leaving.signal });
    await until(() => server.load.waiting === 1, 'the second waits');
    leaving.abort();
    await assert.rejects(waiting);
    await until(() => server.load.waiting === 0, 'it waits no more');
    first.controller.abort();
    const head = bodyHead(server, '/v1/completions', 100);
    const socket = connect(server.port, '127.0.0.1', () => socket.write(`${head}{"model"`));
    await new Promise((resolve) => setTimeout(resolve, 30));
    socket.destroy();
    await until(() => isIdle(server), 'nothing is left');
    await until(() => serving.log.some(({ status, tokens }) => status === 499 && !tokens), 'the log says so');
    assert.ok(!serving.log.some(({ stack }) => stack));
  });
});

describe('slow readers', () => {
  it('get everything, and hold nobody up', async () => {
    // Without a socket, whose buffers would take a text as small as this.
    const service = new Service(opened, { modelName: 'tiny' });
    const app = createApp(service, false);
    const ask = (body: object) =>
      app.request('/v1/completions', {
        ...{ method: 'POST', body: JSON.stringify(body) },
        headers: { 'content-type': 'application/json' },
      });
    const slow = await ask({ ...endless, seed: 1, stream: true });
    const reader = (slow.body as ReadableStream<Uint8Array>).getReader();
    let received = new TextDecoder().decode((await reader.read()).value);
    const quick = await (await ask({ ...endless, seed: 1 })).json();
    assert.equal(service.generator.load.active, 1, 'the text waits for its reader');
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      received += new TextDecoder().decode(value);
    }
    const events = received.split('\n').filter((line) => line.startsWith('data: {'));
    const text = events.map((line) => JSON.parse(line.slice(6)).choices[0].text).join('');
    assert.equal(text, quick.choices[0].text);
    assert.ok(received.endsWith('data: [DONE]\n\n'));
    assert.equal(service.generator.load.active, 0);
  });

  it('that leave without a connection to tell of it set free what they had', async () => {
    const service = new Service(opened, { modelName: 'tiny' });
    const answer = await createApp(service, false).request('/v1/completions', {
      ...{ method: 'POST', body: JSON.stringify({ ...endless, stream: true }) },
      headers: { 'content-type': 'application/json' },
    });
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    await reader.cancel();
    await until(() => service.generator.load.active === 0, 'the text is dropped');
    assert.equal(service.requests.running.size, 0);
  });
});

describe('limits', () => {
  it('tell whom there is no room for to come again', async () => {
    await using serving = await serve(opened, { maxActive: 1, maxWaiting: 1 });
    const { server, client, post } = serving;
    const first = await client.completions.create({ ...endless, stream: true });
    const second = client.completions.create({ ...tiny, prompt: 'b', max_tokens: 1 });
    await until(() => server.load.active === 1 && server.load.waiting === 1, 'one grows, one waits');
    const third = await post('/v1/completions', JSON.stringify({ ...tiny, prompt: 'c', max_tokens: 1 }));
    assert.deepEqual([third.status, third.headers.get('retry-after')], [429, '1']);
    const { error } = (await third.json()) as { error: Record<string, unknown> };
    assert.deepEqual([error.type, error.code], ['rate_limit_error', 'rate_limit_exceeded']);
    first.controller.abort();
    assert.equal((await second).choices.length, 1);
    // The client waits as it is told, and comes again.
    const patient = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 3 });
    const blocking = await client.completions.create({ ...endless, stream: true });
    const queued = client.completions.create({ ...tiny, prompt: 'b', max_tokens: 1 });
    await until(() => server.load.waiting === 1, 'one waits again');
    const retried = patient.completions.create({ ...tiny, prompt: 'd', max_tokens: 1 });
    setTimeout(() => blocking.controller.abort(), 50);
    assert.equal((await retried).choices.length, 1);
    await queued;
  });

  it('leave nothing of a request whose second prompt found no room', async () => {
    await using serving = await serve(opened, { maxActive: 1, maxWaiting: 2 });
    const { server, client } = serving;
    const first = await client.completions.create({ ...endless, stream: true });
    const waiting = client.completions.create({ ...tiny, prompt: 'b', max_tokens: 1 });
    await until(() => server.load.waiting === 1, 'one waits');
    await assert.rejects(client.completions.create({ ...endless, prompt: ['x', 'y'] }), { status: 429 });
    first.controller.abort();
    await waiting;
    await until(() => isIdle(server), 'nothing is left');
    await assert.rejects(client.completions.create({ ...endless, prompt: ['x', 'y', 'z'] }), { status: 400 });
  });

  it('end what takes too long', async () => {
    await using serving = await serve(opened, { requestTimeout: 0.05 });
    const { server, client, log } = serving;
    const long = { ...endless, n: 16, logprobs: 5 };
    await assert.rejects(client.completions.create(long), { status: 504, code: 'timeout' });
    const stream = await client.completions.create({ ...long, stream: true });
    const read = async () => {
      for await (const _ of stream);
    };
    await assert.rejects(read(), /longer than 0.05 s/);
    await until(() => isIdle(server), 'nothing is left');
    await until(() => log.length === 2, 'both are in the log');
    assert.deepEqual(
      log.map(({ status }) => status),
      [504, 504],
    );
  });
});

describe('API keys', () => {
  it('are asked for, except by those who look after the server', async () => {
    const { key, line } = createApiKey('alice');
    const keys = parseApiKeys(`# people\n${createApiKey('bob').line}\n\n${line}\n`);
    await using serving = await serve(opened, { apiKeys: keys });
    const { server, log } = serving;
    const as = (apiKey: string) => new OpenAI({ baseURL: `${server.url}/v1`, apiKey, maxRetries: 0 });
    assert.equal((await as(key).models.list()).data.length, 1);
    assert.equal(log.at(-1)?.key, 'alice');
    for (const wrong of [key.slice(0, -1), `${key}x`, createApiKey('alice').key]) {
      await assert.rejects(as(wrong).models.list(), { status: 401, code: 'invalid_api_key' });
    }
    const bare = await fetch(`${server.url}/metrics`);
    assert.deepEqual([bare.status, bare.headers.get('www-authenticate')], [401, 'Bearer']);
    assert.equal((await fetch(`${server.url}/health`)).status, 200);
    // With keys there is nothing that a rebound name could do.
    const named = `GET /health HTTP/1.1\r\nhost: llm.example\r\nconnection: close\r\n\r\n`;
    assert.match(await rawRequest(server, named), /^HTTP\/1.1 200/);
  });

  it('of aggregators are refused, before the server is open to all', async () => {
    const apiKeys = parseApiKeys(createApiKey('ann', 'analyst').line);
    await assert.rejects(serve(opened, { apiKeys }), {
      ...{ code: 'INVALID_ARGUMENT', message: /"ann" has the role analyst; expected no role/ },
    });
  });

  it('let pages of named origins call', async () => {
    await using serving = await serve(opened, { corsOrigins: ['https://app.example'] });
    const { url } = serving.server;
    const asked = (origin: string) =>
      fetch(`${url}/v1/completions`, {
        ...{ method: 'OPTIONS' },
        headers: { origin, 'access-control-request-method': 'POST' },
      });
    const allowed = (await asked('https://app.example')).headers.get('access-control-allow-origin');
    assert.equal(allowed, 'https://app.example');
    assert.equal((await asked('https://evil.example')).headers.get('access-control-allow-origin'), null);
  });
});

describe('shutdown', () => {
  const start = async (serving: Serving) => {
    const stream = await serving.client.completions.create({ ...endless, stream: true });
    await until(() => serving.server.load.active === 1, 'a text grows');
    return stream;
  };

  it('lets answers end, and takes no more', async () => {
    const serving = await serve(opened);
    const { server, client } = serving;
    const stream = await start(serving);
    const closing = server.close();
    await assert.rejects(client.completions.create({ ...tiny, prompt: 'late' }));
    let tokens = 0;
    for await (const chunk of stream) tokens += chunk.choices.length;
    assert.ok(tokens > 100, `${tokens} chunks`);
    await closing;
    assert.ok(isIdle(server));
  });

  it('breaks them off when their time is over', async () => {
    const serving = await serve(opened, { shutdownTimeout: 0.02 });
    const stream = await start(serving);
    const closing = serving.server.close();
    const read = async () => {
      for await (const _ of stream);
    };
    await assert.rejects(read(), /shutting down/);
    await closing;
    assert.ok(isIdle(serving.server));
  });

  it('says so when an address is taken', async () => {
    await using serving = await serve(opened);
    await assert.rejects(serve(opened, { port: serving.server.port }), {
      code: 'DATA',
      message: /cannot be listened on.*Take another --port/,
    });
    await assert.rejects(serve(opened, { maxContext: 513 }), { code: 'INVALID_ARGUMENT' });
  });
});
