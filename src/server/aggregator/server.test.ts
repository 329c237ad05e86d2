// The aggregator over HTTP, as its own client, as rude ones and as strangers see it.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { until } from '../../../test/serving.ts';
import { range, serveLabels } from '../../../test/serving-labels.ts';
import { DataError } from '../../core/errors.ts';
import { createApiKey, parseApiKeys, startAggregatorServer } from '../index.ts';

const url = (server: { url: string }, path: string) => `${server.url}/v1/aggregator${path}`;

async function refusalOf(response: Response): Promise<[number, string, string]> {
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  return [response.status, error.code, error.message];
}

describe('roles', () => {
  it('let analysts ask and auditors read, and no one else', async () => {
    await using serving = await serveLabels();
    const { analyst, auditor, server, keys, client } = serving;
    const { samples, minBag, budget, private: isPrivate } = await analyst.info();
    assert.deepEqual([samples, minBag, budget, isPrivate], [40, 4, 2, true]);
    const { entry, head, bags } = await analyst.query({ stage: 's', bags: [range(0, 4), range(4, 6)] });
    assert.deepEqual(
      bags.map(({ size, charged }) => [size, charged]),
      [
        [4, 1],
        [6, 1],
      ],
    );
    assert.deepEqual(await auditor.head(), { entry, hash: head });
    await assert.rejects(auditor.query({ stage: 's', bags: [range(0, 4)] }), { reason: 'forbidden' });
    await assert.rejects(analyst.head(), { reason: 'forbidden' });
    await assert.rejects(analyst.log().next(), { reason: 'forbidden' });
    const { key } = createApiKey('ann', 'analyst');
    for (const apiKey of [key, `${keys.analyst}x`, undefined]) {
      await assert.rejects(client({ apiKey }).query({ stage: 's', bags: [range(0, 4)] }), {
        ...{ code: 'REFUSED', reason: 'unauthorized' },
      });
    }
    const bare = await fetch(url(server, '/log'), { headers: { authorization: `Basic ${keys.auditor}` } });
    assert.deepEqual([bare.status, bare.headers.get('www-authenticate')], [401, 'Bearer']);
    assert.deepEqual((await refusalOf(bare)).slice(0, 2), [401, 'unauthorized']);
    const kinds: unknown[] = [];
    for await (const { kind, actor, reason } of auditor.log(entry)) kinds.push([kind, actor, reason]);
    assert.deepEqual(kinds, [
      ['answer', 'ann', ''],
      ['refusal', 'max', 'forbidden'],
      ['refusal', 'ann', 'forbidden'],
      ['refusal', 'ann', 'forbidden'],
      ...Array(4).fill(['refusal', 'anonymous', 'unauthorized']),
    ]);
  });

  it('hold each key to one of them', async () => {
    await using serving = await serveLabels();
    const { aggregator } = serving;
    const plain = parseApiKeys(createApiKey('old').line);
    await assert.rejects(startAggregatorServer(aggregator, { port: 0, apiKeys: plain }), {
      ...{ code: 'INVALID_ARGUMENT', message: /"old" has no role; expected analyst or auditor/ },
    });
    await assert.rejects(startAggregatorServer(aggregator, { port: 0, host: '0.0.0.0' }), {
      ...{ code: 'INVALID_ARGUMENT', message: /no API keys; expected keys, or an address of this machine/ },
    });
  });

  it('are everybody’s on loopback without keys, but no page’s', async () => {
    await using serving = await serveLabels({ server: { apiKeys: [] } });
    const { client, server } = serving;
    const anyone = client({});
    const { entry } = await anyone.query({ stage: 's', bags: [range(0, 4)] });
    assert.equal((await anyone.head()).entry, entry);
    const rebound = await new Promise<string>((resolve, reject) => {
      let received = '';
      const socket = connect(server.port, '127.0.0.1', () =>
        socket.write('GET /v1/aggregator HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n'),
      );
      socket.setEncoding('latin1').on('data', (data) => {
        received += data;
      });
      socket.on('close', () => resolve(received)).on('error', reject);
    });
    assert.match(rebound, /^HTTP\/1.1 403.*"code":"forbidden"/s);
  });
});

/** What is refused, as [status, reason] and the body of the query; after `first` was answered. */
const first = { stage: 'a', bags: [range(0, 4), range(4, 4)] };
const refused: [status: number, reason: string, query: unknown][] = [
  [409, 'overlap', { stage: 'a', bags: [range(2, 4)] }],
  [409, 'overlap', { stage: 'a', bags: [range(0, 5)] }],
  [409, 'overlap', { ...first, epsilon: 0.5 }],
  [422, 'repeated-sample', { stage: 'b', bags: [range(0, 4), range(3, 4)] }],
  [422, 'repeated-sample', { stage: 'b', bags: [[0, 1, 2, 2]] }],
  [422, 'unknown-sample', { stage: 'b', bags: [range(37, 4)] }],
  [422, 'unknown-sample', { stage: 'b', bags: [['0', '1', '2', '3']] }],
  [422, 'bag-too-small', { stage: 'b', bags: [range(8, 4), range(12, 3)] }],
  [422, 'epsilon-too-large', { stage: 'b', bags: [range(8, 4)], epsilon: 1.001 }],
  [413, 'too-many-bags', { stage: 'b', bags: [range(8, 4), range(12, 4), range(16, 4)] }],
  [413, 'too-many-bags', { stage: 'b', bags: [Array(2000).fill(1)] }],
  [400, 'malformed', { stage: 'b', bags: [] }],
  [400, 'malformed', { stage: '', bags: [range(8, 4)] }],
  [400, 'malformed', { stage: 'a b', bags: [range(8, 4)] }],
  [400, 'malformed', { stage: 'b', bags: [range(8, 4)], epsilon: -1 }],
  [400, 'malformed', { stage: 'b', bags: [range(8, 4)], epsilon: '1' }],
  [400, 'malformed', { stage: 'b', bags: [range(8, 4)], eps: 1 }],
  [400, 'malformed', { stage: 'b', bags: [[8, 9, 10, 11.5]] }],
  [400, 'malformed', { stage: 'b', bags: [[8, 9, 10, { id: 11 }]] }],
  [400, 'malformed', { stage: 'b', bags: [[8, 9, 10, [11]]] }],
  [400, 'malformed', { stage: 'b', bags: [[8, 9, 10, null]] }],
  [400, 'malformed', { stage: 'b', bags: [['', 'x', 'y', 'z']] }],
  [400, 'malformed', { stage: 'b', bags: { 0: range(8, 4), length: 1 } }],
  [400, 'malformed', []],
  [400, 'malformed', null],
];

describe('refusals', () => {
  const told: string[][] = [];
  for (const level of [0, 1]) {
    it(`name a reason, cost nothing and are in the log, with labels of ${level}`, async () => {
      const labels = new Float64Array(40).fill(level);
      await using serving = await serveLabels({
        labels,
        aggregator: { maxBags: 2 },
        server: { maxBody: 4000 },
      });
      const { post, auditor, aggregator, analyst } = serving;
      await analyst.query(first);
      const before = await auditor.head();
      const texts: string[] = [];
      for (const [status, reason, query] of refused) {
        const response = await post(JSON.stringify(query));
        texts.push(await response.clone().text());
        assert.deepEqual((await refusalOf(response)).slice(0, 2), [status, reason], JSON.stringify(query));
      }
      for (const [body, headers] of [
        ['{"stage":"b"', {}],
        [JSON.stringify(first), { 'content-type': 'text/plain' }],
      ] as const) {
        const response = await post(body, headers);
        texts.push(await response.clone().text());
        assert.equal((await refusalOf(response))[1], 'malformed');
      }
      // Each second release of the eight people costs ε 1; the third would be one too many.
      await analyst.query({ ...first, stage: 'c' });
      const spent = await post(JSON.stringify({ ...first, stage: 'd' }));
      texts.push(await spent.clone().text());
      assert.deepEqual((await refusalOf(spent)).slice(0, 2), [409, 'budget-exceeded']);
      assert.equal(aggregator.largestSpend, 2);
      const reasons: unknown[] = [];
      for await (const { kind, reason } of auditor.log(before.entry + 1))
        if (kind === 'refusal') reasons.push(reason);
      assert.deepEqual(reasons, [
        ...refused.map(([, reason]) => reason),
        ...['malformed', 'malformed', 'budget-exceeded'],
      ]);
      told.push(texts);
    });
  }

  it('are the same words whatever the labels are', () => {
    assert.equal(told.length, 2);
    assert.deepEqual(told[0], told[1]);
  });

  it('never become failures of the server, whatever is sent', async () => {
    await using serving = await serveLabels({ aggregator: { budget: 1000 } });
    const { post, log, aggregator } = serving;
    const odd = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.constantFrom(...[0, -1, 1e300, 2 ** 53, 0.5, '', 'a', '\ud800', null, true, '__proto__']),
      fc.array(fc.array(fc.oneof(fc.integer({ min: -1, max: 45 }), fc.string()), { maxLength: 8 })),
    );
    const change = fc.dictionary(fc.constantFrom('stage', 'bags', 'epsilon', '__proto__', 'toJSON'), odd);
    const property = fc.asyncProperty(change, async (fields) => {
      const response = await post(JSON.stringify({ stage: 'a', bags: [range(0, 4)], ...fields }));
      const text = await response.text();
      assert.ok(response.status < 500, `${response.status} ${text}`);
    });
    await fc.assert(property, { seed: 5, numRuns: 150 });
    assert.ok(!log.some(({ stack }) => stack));
    assert.ok(aggregator.entries(2, 1000).length > 20);
  });

  it('of strangers fill the log no faster than one a second', async () => {
    await using serving = await serveLabels();
    const { post, aggregator } = serving;
    const before = aggregator.head.entry;
    const start = performance.now();
    for (let i = 0; i < 60; i++) {
      assert.equal((await post('{}', { authorization: 'Bearer pk-none' })).status, 401);
    }
    const seconds = (performance.now() - start) / 1000;
    const written = aggregator.head.entry - before;
    assert.ok(written >= 20 && written <= 21 + seconds, `${written} entries in ${seconds} s`);
  });
});

describe('charges', () => {
  it('are made once for queries that are the same, one after the other or at once', async () => {
    await using serving = await serveLabels();
    const { analyst, aggregator } = serving;
    const [one, ...others] = await Promise.all(Array.from({ length: 12 }, () => analyst.query(first)));
    const answers = [one, ...others, await analyst.query(first)];
    const charged = answers.map(({ bags }) => bags.reduce((sum, bag) => sum + bag.charged, 0));
    assert.deepEqual(
      charged.sort((a, b) => b - a),
      [2, ...Array(12).fill(0)],
    );
    for (const { bags } of answers) {
      assert.deepEqual(
        bags.map(({ mean }) => mean),
        one.bags.map(({ mean }) => mean),
      );
    }
    assert.equal(aggregator.largestSpend, 1);
    assert.equal(new Set(answers.map(({ entry }) => entry)).size, 13);
  });

  it('stand when the client leaves, and its answer waits for it', async () => {
    const leaving = new AbortController();
    await using serving = await serveLabels({
      aggregator: { cadence: 300 },
      intercept(answer) {
        leaving.abort(new Error('gone'));
        return answer;
      },
    });
    const { analyst, aggregator, log } = serving;
    await assert.rejects(analyst.query(first, { signal: leaving.signal }), /gone/);
    await until(() => log.some(({ status }) => status === 499), 'the log says that the client left');
    await until(() => aggregator.largestSpend === 1, 'the charge is made');
    const again = await analyst.query(first);
    assert.deepEqual(
      again.bags.map(({ charged }) => charged),
      [0, 0],
    );
  });

  it('are on the disk before the server ends', async () => {
    const asked = Promise.withResolvers<void>();
    const serving = await serveLabels({
      ...{ aggregator: { cadence: 300 }, server: { shutdownTimeout: 0.02 } },
      intercept(answer) {
        asked.resolve();
        return answer;
      },
    });
    const { analyst, aggregator, server, post } = serving;
    const outcome = analyst.query(first).catch((error: Error) => error);
    await asked.promise;
    await server.close();
    // The time of the answer was over, that of the charge was not.
    assert.ok((await outcome) instanceof Error);
    assert.equal(aggregator.largestSpend, 1);
    await assert.rejects(post('{}'));
    await serving[Symbol.asyncDispose]();
  });
});

describe('a server that can do no more', () => {
  it('tells whom there is no room for to come again', async () => {
    await using serving = await serveLabels({ aggregator: { cadence: 500 }, server: { maxWaiting: 2 } });
    const { analyst, post, aggregator, client, keys } = serving;
    const waiting = [analyst.query(first), analyst.query(first)];
    let late = await post(JSON.stringify(first));
    // Until both have arrived.
    while (late.status === 200) late = await post(JSON.stringify(first));
    assert.deepEqual((await refusalOf(late)).slice(0, 2), [429, 'busy']);
    assert.equal(late.headers.get('retry-after'), '1');
    const patient = client({ apiKey: keys.analyst, retries: 9 });
    assert.deepEqual((await patient.query(first)).bags.length, 2);
    await Promise.all(waiting);
    assert.equal(aggregator.largestSpend, 1);
  });

  it('says so, once, when the ledger cannot be written', async () => {
    const failures: unknown[] = [];
    const secret = new DataError('query: the ledger could not be written (of label 0.42)');
    await using serving = await serveLabels({
      intercept: () => Promise.reject(secret),
      server: { onFailure: (error) => failures.push(error) },
    });
    const { server, post } = serving;
    for (let i = 0; i < 2; i++) {
      const [status, , message] = await refusalOf(await post(JSON.stringify(first)));
      assert.equal(status, 500);
      assert.ok(!message.includes('0.42'), message);
    }
    const health = await fetch(`${server.url}/health`);
    assert.deepEqual([health.status, await health.json()], [503, { status: 'the ledger cannot be written' }]);
    assert.deepEqual(failures, [secret]);
  });
});

describe('slow and long requests', () => {
  it('are cut off', async () => {
    await using serving = await serveLabels({ server: { bodyTimeout: 0.3 } });
    const { server, keys } = serving;
    const head = `POST /v1/aggregator/query HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nauthorization: Bearer ${keys.analyst}\r\n`;
    for (const sent of [`${head}content-length: 100\r\n\r\n{"stage"`, head]) {
      const start = performance.now();
      await new Promise<void>((resolve) => {
        const socket = connect(server.port, '127.0.0.1', () => socket.write(sent));
        socket.on('close', () => resolve()).on('error', () => {});
        socket.resume();
      });
      assert.ok(performance.now() - start < 4000);
    }
    assert.equal((await serving.analyst.info()).samples, 40);
  });
});

describe('clients that do not read', () => {
  it('are cut off', async () => {
    await using serving = await serveLabels({ server: { bodyTimeout: 0.4, requestTimeout: 0.4 } });
    const { server, keys, aggregator, log } = serving;
    await Promise.all(Array.from({ length: 900 }, () => aggregator.recordRefusal('ann', 'busy')));
    // Some 40 MB, which no buffers on the way can hold.
    const one = `GET /v1/aggregator/log HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${keys.auditor}\r\n\r\n`;
    const asked = 100;
    const [answers, cut] = await new Promise<[number, boolean]>((resolve, reject) => {
      let received = '';
      const socket = connect(server.port, '127.0.0.1', () => socket.write(one.repeat(asked)));
      socket.setEncoding('latin1').on('data', (data) => {
        received += data;
      });
      socket.pause();
      // Twice as long as the server waits, from when it could send no more.
      let done = 0;
      let still = setTimeout(() => {});
      const watch = setInterval(() => {
        if (log.length === done && done > 0) return;
        done = log.length;
        clearTimeout(still);
        still = setTimeout(() => {
          clearInterval(watch);
          socket.resume();
        }, 1200);
      }, 50);
      socket.on('error', reject);
      socket.on('close', () => {
        const bodies = received.split('HTTP/1.1 200 OK').slice(1);
        resolve([bodies.length, !bodies.at(-1)?.endsWith('}')]);
      });
    });
    assert.ok(answers < asked, `${answers} answers${cut ? ', the last one cut' : ''}`);
  });
});

describe('the audit log', () => {
  it('comes in pages, and no further than it is', async () => {
    await using serving = await serveLabels();
    const { auditor, aggregator, keys, server } = serving;
    await Promise.all(Array.from({ length: 30 }, () => aggregator.recordRefusal('ann', 'busy')));
    const page = async (query: string) => {
      const headers = { authorization: `Bearer ${keys.auditor}` };
      const response = await fetch(url(server, `/log${query}`), { headers });
      return [response.status, ((await response.json()) as { entries?: unknown[] }).entries?.length];
    };
    assert.deepEqual(await page(''), [200, 31]);
    assert.deepEqual(await page('?from=29&limit=1'), [200, 1]);
    assert.deepEqual(await page('?from=31'), [200, 0]);
    for (const wrong of ['?from=-1', '?from=x', '?limit=1001', '?form=1']) {
      assert.equal((await page(wrong))[0], 400);
    }
    const entries: unknown[] = [];
    for await (const { entry } of auditor.log(10)) entries.push(entry);
    // The four wrong ones are in the log too.
    assert.deepEqual(entries, range(10, 25));
  });
});

describe('health and metrics', () => {
  it('tell what the audit log tells', async () => {
    await using serving = await serveLabels();
    const { analyst, keys, server } = serving;
    await analyst.query(first);
    await analyst.query(first);
    await assert.rejects(analyst.query({ stage: 'a', bags: [range(2, 4)] }));
    const health = await fetch(`${server.url}/health`);
    assert.deepEqual([health.status, await health.json()], [200, { status: 'ok' }]);
    const headers = { authorization: `Bearer ${keys.auditor}` };
    const text = await (await fetch(`${server.url}/metrics`, { headers })).text();
    for (const line of [
      'provably_aggregator_queries_total{outcome="answered"} 2',
      'provably_aggregator_queries_total{outcome="overlap"} 1',
      'provably_aggregator_bags_total{kind="released"} 2',
      'provably_aggregator_bags_total{kind="repeated"} 2',
      'provably_aggregator_log_entries 4',
    ]) {
      assert.ok(text.includes(line), `${line}\n${text.match(/provably_aggregator.*/g)?.join('\n')}`);
    }
    assert.equal((await fetch(`${server.url}/metrics`)).status, 401);
  });
});
