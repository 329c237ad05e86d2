// The client before an aggregator that is busy, slow, broken or none at all; before a true one see the tests of the server.

import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { range, serveLabels } from '../../../test/serving-labels.ts';
import { bagsFromLists } from '../bags/bags.ts';
import { type AggregatorClientOptions, createAggregatorClient } from './client.ts';

interface Fake extends AsyncDisposable {
  url: string;
  /** Bodies of requests, parsed; undefined for a GET. */
  asked: unknown[];
}

/** A server that answers with `answers`, one after the other, the last one for ever. */
async function fake(...answers: ((...listen: Parameters<RequestListener>) => void)[]): Promise<Fake> {
  const asked: unknown[] = [];
  const server = createServer(async (request, response) => {
    const answer = answers[Math.min(asked.length, answers.length - 1)];
    asked.push(await bodyOf(request));
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const part of request) text += part;
  return text === '' ? undefined : JSON.parse(text);
}

const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): RequestListener =>
  (_, response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

const head = { entry: 3, hash: 'ab' };
const found = json(200, head);
const error = (code: string) => ({ error: { code, message: `it is ${code}` } });
const broken: RequestListener = (request) => request.socket.destroy();

/** Quick enough for tests. */
const client = ({ url }: { url: string }, options: Partial<AggregatorClientOptions> = {}) =>
  createAggregatorClient({ url, retryDelay: 0.005, ...options });

describe('a client', () => {
  it('tries again what may succeed later', async () => {
    const failures = [json(429, error('busy')), json(503, {}), json(502, 'no JSON'), broken];
    await using server = await fake(...failures, found);
    assert.deepEqual(await client(server).head(), head);
    assert.equal(server.asked.length, 5);
    // As long as the server asks for, and twice as long each time by itself.
    await using slow = await fake(json(429, error('busy'), { 'retry-after': '0.2' }), found);
    const start = performance.now();
    await client(slow).head();
    assert.ok(performance.now() - start > 190);
  });

  it('gives up in the end, and says why', async () => {
    await using busy = await fake(json(429, error('busy')));
    await assert.rejects(client(busy, { retries: 2 }).head(), { code: 'REFUSED', reason: 'busy' });
    assert.equal(busy.asked.length, 3);
    await using down = await fake(broken);
    const refused = { code: 'BUSY', message: /cannot be reached: .*Check the address/ };
    await assert.rejects(client(down, { retries: 1 }).head(), refused);
    await using slow = await fake(() => {});
    const late = { code: 'BUSY', message: /does not answer in time/ };
    await assert.rejects(client(slow, { retries: 1, timeout: 0.05 }).head(), late);
    assert.equal(slow.asked.length, 2);
  });

  it('does not try again what is refused', async () => {
    for (const [status, reason] of [
      [409, 'overlap'],
      [422, 'bag-too-small'],
      [401, 'unauthorized'],
    ] as const) {
      await using server = await fake(json(status, error(reason)));
      const asked = client(server).query({ stage: 's', bags: [[1, 2]] });
      await assert.rejects(asked, { code: 'REFUSED', reason, message: new RegExp(`it is ${reason}`) });
      assert.equal(server.asked.length, 1);
    }
  });

  it('stops when it is told to, between tries and during them', async () => {
    for (const [answer, options] of [
      [() => {}, {}],
      [json(503, {}), { retryDelay: 10 }],
    ] as const) {
      await using server = await fake(answer);
      const stopping = new AbortController();
      const call = client(server, options).info({ signal: stopping.signal });
      setTimeout(() => stopping.abort(new Error('enough')), 30);
      await assert.rejects(call, /enough/);
      assert.equal(server.asked.length, 1);
    }
    const signal = AbortSignal.abort(new Error('never'));
    await assert.rejects(createAggregatorClient({ url: 'http://localhost:1', signal }).head(), /never/);
  });

  it('takes nothing from what is no aggregator', async () => {
    const bags = [[1, 2]];
    const answer = { mean: 1, noiseVariance: 0, size: 2, charged: 1 };
    const replies: unknown[] = [
      ...[{}, [], null, 1, { stage: 's', bags: [] }, { stage: 't', bags: [answer] }],
      ...[{ mean: null }, { mean: '1' }, { noiseVariance: -1 }, { size: 3 }, { charged: null }].map(
        (change) => ({ stage: 's', bags: [{ ...answer, ...change }] }),
      ),
    ];
    for (const reply of replies) {
      await using server = await fake(json(200, reply));
      const what = { code: 'DATA', message: /aggregator client: the reply is not/ };
      await assert.rejects(client(server).query({ stage: 's', bags }), what, JSON.stringify(reply));
    }
    for (const ask of ['info', 'head'] as const) {
      await using server = await fake(json(200, { entry: 1.5, hash: 1 }));
      await assert.rejects(client(server)[ask](), { code: 'DATA' });
    }
    await using page = await fake((_, response) => response.end('<html>'));
    await assert.rejects(client(page).info(), { code: 'DATA', message: /no JSON/ });
    await using moved = await fake((_, response) => response.writeHead(302, { location: page.url }).end());
    await assert.rejects(client(moved, { retries: 0 }).info(), { code: 'BUSY' });
    assert.equal(page.asked.length, 1, 'another address got nothing');
    await using other = await fake(json(404, { error: 'what?' }));
    await assert.rejects(client(other).info(), { code: 'DATA', message: /answers 404/ });
  });

  it('keeps to addresses that are safe', () => {
    for (const url of ['http://labels.example.org', 'http://10.0.0.7:8080']) {
      assert.throws(() => createAggregatorClient({ url }), { code: 'INVALID_ARGUMENT', message: /https/ });
      createAggregatorClient({ url, insecure: true });
    }
    for (const url of ['https://labels.example.org/a/', 'http://localhost:1', 'http://[::1]:1']) {
      createAggregatorClient({ url });
    }
    for (const url of ['', 'labels.example.org', 'ftp://localhost', 'https://a.example/?key=1']) {
      assert.throws(() => createAggregatorClient({ url }), { code: 'INVALID_ARGUMENT' });
    }
    const url = 'https://a.example';
    for (const wrong of [{ apiKey: 'a b' }, { timeout: 0 }, { retries: 1.5 }, { maxBags: 0 }]) {
      assert.throws(() => createAggregatorClient({ url, ...wrong }), { code: 'INVALID_ARGUMENT' });
    }
  });
});

describe('bagQuery', () => {
  it('asks for a stage in parts, and puts their answers together', async () => {
    await using serving = await serveLabels({ aggregator: { maxBags: 3 } });
    const bags = bagsFromLists(
      range(0, 8).map((a) => range(4 * a + Number(a > 5), a === 5 ? 5 : 4).map((i) => (i * 7) % 40)),
      40,
    );
    const ids = range(0, 40).map((i) => 39 - i);
    const done: number[] = [];
    const { keys, client: withOptions, aggregator } = serving;
    const ask = withOptions({ apiKey: keys.analyst }).bagQuery(ids, 0.5);
    const answers = await ask(bags, 's', { onProgress: (progress) => done.push(progress.done) });
    assert.deepEqual(done, [3, 6, 8]);
    assert.equal(aggregator.head.entry, 3);
    assert.equal(aggregator.largestSpend, 0.5);
    // Each bag was asked by its ids: asking for one alone repeats its answer.
    const { analyst } = serving;
    for (const a of [0, 5, 7]) {
      const members = [...bags.members.slice(bags.offsets[a], bags.offsets[a + 1])];
      const again = await analyst.query({ stage: 's', bags: [members.map((i) => ids[i])], epsilon: 0.5 });
      const { mean, noiseVariance, charged } = again.bags[0];
      assert.deepEqual([mean, noiseVariance, charged], [answers.means[a], answers.noiseVariance?.[a], 0]);
    }
    await assert.rejects(ask(bags, 's', { signal: AbortSignal.abort(new Error('no')) }), /no/);
    await assert.rejects(ask(bagsFromLists([[0]], 1), 's'), { code: 'SHAPE' });
  });

  it('sends no more bytes than it may, but a larger bag alone', async () => {
    const answerAll: RequestListener = (_, response) => {
      const { stage, bags } = server.asked.at(-1) as { stage: string; bags: string[][] };
      const answered = bags.map(({ length: size }) => ({ mean: size, noiseVariance: 0, size, charged: 1 }));
      json(200, { stage, bags: answered })(_, response);
    };
    await using server = await fake(answerAll);
    const ids = range(0, 60).map((i) => `é${'x'.repeat(i < 10 ? 200 : 5)}${i}`);
    const lists = [range(0, 10), ...range(1, 10).map((a) => range(5 * a + 5, 5))];
    const { means } = await client(server, { maxBags: 100, maxBytes: 500 }).bagQuery(ids)(
      bagsFromLists(lists, 60),
      's',
    );
    assert.deepEqual([...means], [10, ...Array(10).fill(5)]);
    const sizes = server.asked.map((body) =>
      (body as { bags: string[][] }).bags.map((bag) => Buffer.byteLength(JSON.stringify(bag))),
    );
    assert.equal(sizes[0].length, 1);
    assert.ok(sizes.length > 2 && sizes.slice(1).some(({ length }) => length > 1));
    for (const bytes of sizes.slice(1)) assert.ok(bytes.reduce((sum, x) => sum + x, 0) <= 500);
    assert.deepEqual(sizes.flat().length, 11);
  });
});
