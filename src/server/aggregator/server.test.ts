// The aggregator over HTTP, as its own client and as strangers see it.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bagsFromLists, createAggregatorClient, RefusedError } from '../../aggregate/index.ts';
import { createApiKey, parseApiKeys, startAggregatorServer } from '../index.ts';
import type { ServedAggregator } from './served-aggregator.ts';

/** Answers the size of each bag. */
const sizes: ServedAggregator = {
  info: () => ({
    ...{ samples: 4, minBag: 2, budget: 1, epsilonPerRelease: 1, bounds: [0, 1], grid: 1, private: true },
  }),
  async query(_, { stage, bags, epsilon = 1 }) {
    if (bags.some(({ length }) => length < 2)) throw new RefusedError('bag-too-small', 'too small');
    const answered = bags.map(({ length: size }) => ({
      mean: size,
      noiseVariance: 0,
      size,
      charged: epsilon,
    }));
    return {
      ...{ stage, epsilon, bags: answered, neighbouring: 'replace-one-label', entry: 1, head: '00' },
    };
  },
  head: { entry: 1, hash: '00' },
  entries: (from, limit) => [{ entry: 0 }, { entry: 1 }].slice(from, from + limit),
};

describe('aggregator server', () => {
  it('answers analysts and auditors, each what is theirs', async () => {
    const ann = createApiKey('ann', 'analyst');
    const max = createApiKey('max', 'auditor');
    const apiKeys = parseApiKeys(`${ann.line}\n${max.line}`);
    await using server = await startAggregatorServer(sizes, { port: 0, apiKeys });
    const client = (apiKey: string) => createAggregatorClient({ url: server.url, apiKey, retries: 0 });
    assert.equal((await client(ann.key).info()).minBag, 2);
    const ask = client(ann.key).bagQuery(['a', 'b', 'c', 'd']);
    const { means } = await ask(
      bagsFromLists(
        [
          [0, 1],
          [2, 3],
        ],
        4,
      ),
      's',
    );
    assert.deepEqual(means, Float64Array.of(2, 2));
    await assert.rejects(ask(bagsFromLists([[0]], 4), 's'), { reason: 'bag-too-small' });
    await assert.rejects(client(max.key).bagQuery(['a'])(bagsFromLists([[0]], 1), 's'), {
      reason: 'forbidden',
    });
    await assert.rejects(client(ann.key).head(), { reason: 'forbidden' });
    await assert.rejects(client(`${ann.key}x`).info(), { reason: 'unauthorized' });
    assert.deepEqual(await client(max.key).head(), { entry: 1, hash: '00' });
    const entries: unknown[] = [];
    for await (const entry of client(max.key).log()) entries.push(entry);
    assert.equal(entries.length, 2);
  });
});
