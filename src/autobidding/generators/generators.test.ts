import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gammaTopicGenerator } from './gamma-topic-generator.ts';
import type { GeneratedMarket } from './generated.ts';
import { LargestScores } from './largest-scores.ts';
import { poaInstance } from './poa-instance.ts';
import { type ProvablyGeneratorOptions, provablyGenerator } from './provably-generator.ts';

const GENERATORS = { provablyGenerator, gammaTopicGenerator } as const;

for (const [name, generator] of Object.entries(GENERATORS)) {
  describe(name, () => {
    it('gives valid compressed rows: distinct advertisers ascending, positive values', () => {
      const { market, topicOf, record } = generator({ auctions: 300, seed: 3 });
      const { participants, topics } = record.parameters;
      assert.equal(market.auctions, 300);
      assert.equal(topicOf.length, 300);
      assert.ok(topicOf.every((topic) => topic < topics));
      for (let j = 0; j < market.auctions; j++) {
        assert.equal(market.offsets[j + 1] - market.offsets[j], participants);
        for (let e = market.offsets[j]; e < market.offsets[j + 1]; e++) {
          assert.ok(market.advertiserOf[e] < market.advertisers);
          assert.ok(market.values[e] > 0);
          if (e > market.offsets[j]) assert.ok(market.advertiserOf[e] > market.advertiserOf[e - 1]);
        }
      }
    });

    it('repeats from its record alone', () => {
      const first = generator({ auctions: 50, topics: 5, targetSpread: 0.3, seed: 9 });
      const { parameters, seed } = JSON.parse(JSON.stringify(first.record));
      assert.deepEqual(generator({ ...parameters, seed }), first);
      assert.notDeepEqual(generator({ ...parameters, seed: 10 }).market.values, first.market.values);
    });

    it('draws the first auctions of a longer run', () => {
      const long = generator({ auctions: 80, seed: 4 });
      const short = generator({ auctions: 20, seed: 4 });
      const entries = short.market.values.length;
      assert.deepEqual(long.market.values.slice(0, entries), short.market.values);
      assert.deepEqual(long.topicOf.slice(0, 20), short.topicOf);
    });

    it('divides values by the targets', () => {
      const plain = generator({ auctions: 40, seed: 2 });
      const { market } = generator({ auctions: 40, seed: 2, targetSpread: 0.4 });
      const targets = market.targets;
      assert.ok(targets && new Set(targets).size === market.advertisers);
      assert.equal(plain.market.targets, undefined);
      for (const [e, value] of market.values.entries()) {
        const raw = value * targets[market.advertiserOf[e]];
        assert.ok(Math.abs(raw / plain.market.values[e] - 1) < 1e-12);
      }
    });

    it('refuses parameters out of range', () => {
      assert.throws(() => generator({ advertisers: 3, participants: 4 }), /participants is 4; expected/);
      assert.throws(() => generator({ discounts: [] }), /discounts is empty/);
      assert.throws(() => generator({ discounts: [1, 0.5, 0.6] }), /discounts\[2\] is 0.6; expected/);
      assert.throws(() => generator({ discounts: [1.5] }), /discounts\[0\] is 1.5/);
      assert.throws(() => generator({ discounts: [1, Number.NaN] }), /discounts\[1\] is NaN/);
      assert.throws(() => generator({ seed: -1 }), /seed is -1/);
      assert.throws(() => generator({ auctions: 0 }), /auctions is 0/);
      assert.throws(() => generator({ targetSpread: -1 }), /targetSpread is -1/);
      assert.throws(() => generator({ targetSpread: 1000 }), /value drawn for entry/);
    });
  });
}

describe('provablyGenerator', () => {
  it('leaves the values of an advertiser in an auction alone when others are let in', () => {
    const few = valueTable(provablyGenerator({ auctions: 60, participants: 3, seed: 6 }));
    const many = valueTable(provablyGenerator({ auctions: 60, participants: 12, seed: 6 }));
    assert.equal(few.size, 180);
    for (const [pair, value] of few) assert.equal(many.get(pair), value);
  });

  it('has the stated spreads of ln v', () => {
    // With everybody in and ρ = 0, ln v is level + quality + noise: independent normals of the stated spreads.
    const options: ProvablyGeneratorOptions = {
      advertisers: 40,
      participants: 40,
      auctions: 2000,
      rho: 0,
      scaleSpread: 0,
      seed: 8,
    };
    const both = logValues(provablyGenerator(options));
    // The noise of 80 000 entries: its variance errs by √(2/80 000) = 0.5 % (one σ), the shared quality's by √(2/2000) = 3.2 %.
    // Limits of 6 σ, false failures below 1e-8 each.
    const rows = Array.from({ length: 2000 }, (_, j) => both.subarray(40 * j, 40 * j + 40));
    const means = Float64Array.from(rows, mean);
    const within = mean(Float64Array.from(rows, (row) => (variance(row) * 40) / 39));
    assert.ok(Math.abs(within / 0.16 - 1) < 0.031, `noise ${within}`);
    assert.ok(Math.abs(variance(means) / (0.25 + 0.16 / 40) - 1) < 0.2, `quality ${variance(means)}`);
  });

  it('chooses the participants of largest affinity where nothing disturbs them', () => {
    // Without noise, quality and levels, ln v is the affinity alone.
    const bare = {
      auctions: 50,
      noiseSpread: 0,
      qualitySpread: 0,
      scaleSpread: 0,
      participationNoise: 0,
      seed: 5,
    };
    const all = provablyGenerator({ ...bare, participants: 12 }).market;
    const few = provablyGenerator({ ...bare, participants: 4 }).market;
    for (let j = 0; j < 50; j++) {
      const best = [...all.values.subarray(12 * j, 12 * j + 12)].sort((a, b) => b - a).slice(0, 4);
      assert.deepEqual(
        [...few.values.subarray(4 * j, 4 * j + 4)].sort((a, b) => b - a),
        best,
      );
    }
  });

  it('makes topics predict values just as far as ρ says', () => {
    const shares = [0, 1, 2].map((rho) => {
      const generated = provablyGenerator({ auctions: 2000, rho, seed: 7 });
      return varianceBetweenTopics(generated);
    });
    assert.ok(shares[0] < 0.05 && shares[1] > 0.2 && shares[2] > shares[1], `shares ${shares}`);
  });
});

describe('gammaTopicGenerator', () => {
  it('has the mean its distributions imply', () => {
    // With topicSpread 0, v = 5 G C: E v = 5 · 1 · 0.2 = 1. A query's 6 entries share G: Var of a query's mean =
    // 25 (E G² (Var C / 6 + 0.04) − 0.04) with E G² = 1.5, Var C = 16/1100: 0.591. σ of the mean of 4000: 0.0122; limit 6 σ, 2e-9.
    const { market } = gammaTopicGenerator({ auctions: 4000, topicSpread: 0, seed: 1 });
    assert.ok(Math.abs(mean(market.values) - 1) < 0.073, `mean ${mean(market.values)}`);
  });

  it('lets every advertiser into its share of the auctions', () => {
    const { market } = gammaTopicGenerator({ auctions: 4000, seed: 1 });
    const counts = new Float64Array(10);
    for (const i of market.advertiserOf) counts[i]++;
    // Binomial(4000, .6): σ = 31; 6.2 σ, 10 · 6e-10.
    for (const count of counts) assert.ok(Math.abs(count - 2400) < 192, `counts ${counts}`);
  });
});

describe('LargestScores', () => {
  it('keeps the largest, the first of equals', () => {
    const best = new LargestScores(3);
    for (const [index, score] of [5, 1, 5, 7, 5, -1].entries()) best.offer(score, index);
    const kept = new Uint32Array(3);
    best.indicesInto(kept);
    assert.deepEqual([...kept], [0, 2, 3]);
  });
});

describe('poaInstance', () => {
  it('has the welfare it states when A takes both auctions', () => {
    const { market, optimum, welfare, uniformProfile, splitProfile } = poaInstance(0.1);
    assert.deepEqual([...market.values], [1, 0.1, 1]);
    assert.equal(optimum, Math.max(1) + Math.max(0.1, 1));
    assert.equal(welfare, 1.1);
    // A outbids B in the second auction in both profiles.
    assert.ok(uniformProfile[0] * 0.1 > uniformProfile[1]);
    assert.ok(splitProfile[1] * 0.1 > splitProfile[3]);
    // First price: A spends its bids and meets its target.
    assert.ok(splitProfile[0] + splitProfile[1] * 0.1 <= welfare);
  });

  it('refuses ε outside (0, 1)', () => {
    for (const epsilon of [0, 1, -1, Number.NaN]) assert.throws(() => poaInstance(epsilon), /epsilon is/);
  });
});

function valueTable({ market }: GeneratedMarket): Map<string, number> {
  const table = new Map<string, number>();
  for (let j = 0; j < market.auctions; j++) {
    for (let e = market.offsets[j]; e < market.offsets[j + 1]; e++) {
      table.set(`${j}/${market.advertiserOf[e]}`, market.values[e]);
    }
  }
  return table;
}

function logValues({ market }: GeneratedMarket): Float64Array {
  return market.values.map(Math.log);
}

/** Share of the variance of ln v of advertiser 0 that its topics explain. */
function varianceBetweenTopics({ market, topicOf, record }: GeneratedMarket): number {
  const own: number[] = [];
  const byTopic = Array.from({ length: record.parameters.topics }, (): number[] => []);
  for (let j = 0; j < market.auctions; j++) {
    for (let e = market.offsets[j]; e < market.offsets[j + 1]; e++) {
      if (market.advertiserOf[e] !== 0) continue;
      own.push(Math.log(market.values[e]));
      byTopic[topicOf[j]].push(Math.log(market.values[e]));
    }
  }
  const within = byTopic.reduce((sum, list) => sum + (list.length && variance(list) * list.length), 0);
  return 1 - within / (variance(own) * own.length);
}

function mean(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}

function variance(values: ArrayLike<number>): number {
  const centre = mean(values);
  return mean(Array.from(values, (value) => (value - centre) ** 2));
}
