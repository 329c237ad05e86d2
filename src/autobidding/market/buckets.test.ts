import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gammaTopicGenerator } from '../generators/gamma-topic-generator.ts';
import { provablyGenerator } from '../generators/provably-generator.ts';
import type { Buckets } from '../types.ts';
import { labelBuckets, requireNestedLevels, topicBuckets, valueBuckets } from './buckets.ts';
import { uniformBuckets } from './uniform-buckets.ts';

const generated = provablyGenerator({ auctions: 400, seed: 1 });
const { market, topicOf } = generated;

/** Each bucket of `fine` lies in one bucket of `coarse`. */
function refines(fine: Buckets, coarse: Buckets): boolean {
  const parent = new Map<number, number>();
  return fine.ofEntry.every((bucket, e) => {
    const seen = parent.get(bucket) ?? coarse.ofEntry[e];
    parent.set(bucket, seen);
    return seen === coarse.ofEntry[e];
  });
}

describe('topicBuckets', () => {
  it('nests along divisors, and holds whole topics, equally many', () => {
    const levels = [1, 2, 4, 8, 16].map((count) => topicBuckets(generated, count));
    for (let at = 1; at < levels.length; at++) assert.ok(refines(levels[at], levels[at - 1]));
    for (const { count, ofEntry } of levels) {
      const topics = Array.from({ length: count }, () => new Set<number>());
      for (let j = 0; j < market.auctions; j++) {
        for (let e = market.offsets[j]; e < market.offsets[j + 1]; e++) topics[ofEntry[e]].add(topicOf[j]);
      }
      assert.ok(topics.every((set) => set.size === 16 / count));
    }
    assert.ok(refines(topicBuckets(generated, 6), topicBuckets(generated, 3)));
    assert.ok(!refines(topicBuckets(generated, 3), topicBuckets(generated, 2)));
  });

  it('orders topics by the seed of the market', () => {
    const other = gammaTopicGenerator({ auctions: 400, seed: 2 });
    const first = topicBuckets(other, 8);
    assert.deepEqual(topicBuckets(other, 8), first);
    const bucketOfTopic = new Map(
      Array.from(other.topicOf, (topic, j) => [topic, first.ofEntry[other.market.offsets[j]]]),
    );
    assert.equal(bucketOfTopic.size, 8);
    assert.ok([...bucketOfTopic].some(([topic, bucket]) => topic !== bucket));
  });

  it('refuses more buckets than topics', () => {
    assert.throws(() => topicBuckets(generated, 17), /topicBuckets: count is 17; expected .*16/);
    assert.throws(() => topicBuckets(generated, 0), /count is 0/);
  });
});

describe('valueBuckets', () => {
  it('cuts each advertiser’s values into equal parts in order, nested', () => {
    const levels = [1, 2, 4, 8, 16].map((count) => valueBuckets(market, count));
    for (let at = 1; at < levels.length; at++) assert.ok(refinesOwn(levels[at], levels[at - 1]));
    const { ofEntry } = levels[2];
    for (let i = 0; i < market.advertisers; i++) {
      const own = [...market.values.keys()].filter((e) => market.advertiserOf[e] === i);
      own.sort((a, b) => market.values[a] - market.values[b]);
      assert.deepEqual(
        own.map((e) => ofEntry[e]),
        own.map((_, rank) => Math.floor((rank * 4) / own.length)),
      );
    }
  });

  it('keeps equal values together', () => {
    const { ofEntry } = valueBuckets(
      {
        auctions: 6,
        advertisers: 2,
        offsets: Uint32Array.of(0, 1, 2, 3, 4, 5, 6),
        advertiserOf: new Uint32Array(6),
        values: Float64Array.of(1, 2, 2, 2, 2, 3),
        discounts: Float64Array.of(1),
      },
      3,
    );
    assert.deepEqual([...ofEntry], [0, 0, 0, 0, 0, 2]);
  });

  /** Refinement within each advertiser: buckets of different advertisers have nothing to do with each other. */
  function refinesOwn(fine: Buckets, coarse: Buckets): boolean {
    const ratio = fine.count / coarse.count;
    return fine.ofEntry.every((bucket, e) => Math.floor(bucket / ratio) === coarse.ofEntry[e]);
  }
});

describe('labelBuckets', () => {
  const names = Array.from(topicOf, (topic) => `topic ${String(topic).padStart(2, '0')}`);

  it('makes a bucket of each label, of auctions or of entries', () => {
    const { buckets, labels } = labelBuckets(market, names);
    assert.equal(buckets.count, 16);
    assert.deepEqual(labels[3], ['topic 03']);
    for (let j = 0; j < market.auctions; j++) {
      assert.equal(buckets.ofEntry[market.offsets[j]], topicOf[j]);
    }
    const perEntry = Array.from(market.values, (_, e) => market.advertiserOf[e]);
    assert.deepEqual([...labelBuckets(market, perEntry).buckets.ofEntry], perEntry);
  });

  it('coarsens in order, or in a seeded order, nested either way', () => {
    assert.deepEqual(labelBuckets(market, names, { count: 8 }).labels[0], ['topic 00', 'topic 01']);
    for (const orderSeed of [undefined, 5]) {
      const [coarse, fine] = [4, 8].map((count) => labelBuckets(market, names, { count, orderSeed }).buckets);
      assert.ok(refines(fine, coarse));
    }
    assert.notDeepEqual(
      labelBuckets(market, names, { count: 4, orderSeed: 5 }).labels,
      labelBuckets(market, names, { count: 4 }).labels,
    );
    // Numbers are ordered as numbers.
    assert.deepEqual(
      labelBuckets(market, Array.from(topicOf), { count: 2 }).labels[0],
      [0, 1, 2, 3, 4, 5, 6, 7],
    );
  });

  it('refuses other lengths, NaN and too many buckets', () => {
    assert.throws(() => labelBuckets(market, ['a']), /labels has length 1; expected 400/);
    assert.throws(() => labelBuckets(market, new Float64Array(400).fill(Number.NaN)), /labels\[0\] is NaN/);
    assert.throws(() => labelBuckets(market, names, { count: 17 }), /count is 17; expected .*16/);
  });
});

describe('requireNestedLevels', () => {
  it('says how levels have to follow each other', () => {
    requireNestedLevels('levels', [1, 2, 6, 12]);
    requireNestedLevels('levels', [3]);
    assert.throws(() => requireNestedLevels('levels', [2, 3]), /levels\[1\] is 3 after 2; .*1, 2, 4, 8/);
    assert.throws(() => requireNestedLevels('levels', [2, 2]), /levels\[1\] is 2 after 2/);
    assert.throws(() => requireNestedLevels('levels', []), /levels is empty/);
    assert.throws(() => requireNestedLevels('levels', [0]), /levels\[0\] is 0/);
  });
});

describe('uniformBuckets', () => {
  it('is one bucket', () => {
    assert.deepEqual(uniformBuckets(market), { count: 1, ofEntry: new Uint16Array(market.values.length) });
  });
});
