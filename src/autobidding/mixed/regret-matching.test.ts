import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng, type Rng } from '../../core/rng.ts';
import { gammaTopicGenerator } from '../generators/gamma-topic-generator.ts';
import { topicBuckets } from '../market/buckets.ts';
import { createMarket } from '../market/create-market.ts';
import type { Bidder, Profile, Setting } from '../types.ts';
import type { AveragePlay } from './fictitious-play.ts';
import { findMixedEquilibrium } from './find-mixed-equilibrium.ts';
import { mixedGap } from './mixed-gap.ts';
import { matchRegrets } from './regret-matching.ts';

const generated = gammaTopicGenerator({ auctions: 300, advertisers: 6, participants: 4, topics: 4, seed: 5 });

function settingOf(format: Setting['rules']['format'], count: number, bidders?: readonly Bidder[]): Setting {
  return { market: generated.market, buckets: topicBuckets(generated, count), rules: { format }, bidders };
}

const quick = { method: 'regret-matching', iterations: 400, support: 16 } as const;
const play = { iterations: 400, draws: 1, spread: 0.01, memory: 2 };

/** Mean of ln of the multiplier that a cell plays, where it bids. */
function meanLog({ curves, shares }: AveragePlay, cell: number): number {
  let [sum, mass] = [0, 0];
  for (let bin = 0; bin < curves.bins; bin++) {
    const share = shares[cell * curves.bins + bin];
    sum += share * curves.edge(bin);
    mass += share;
  }
  return sum / mass;
}

async function averageOf(setting: Setting, start: Profile, rng: Rng): Promise<AveragePlay> {
  const { value } = await matchRegrets(setting, start, rng, { ...play, looks: [] }).next();
  return value;
}

describe('matchRegrets', () => {
  it('learns to pay just above the one competitor, and not to bid where that never pays', async () => {
    // Advertiser 0 wants value − spend against fixed bids: 1 on what it values at 4 (bid 1, multiplier ¼), and 3 on what it values at 2.
    const market = createMarket(
      { auction: [0, 0, 1, 1], advertiser: [0, 1, 0, 1], value: [4, 1, 2, 3] },
      { discounts: [1] },
    );
    const buckets = { count: 2, ofEntry: Uint16Array.of(0, 0, 1, 1) };
    const bidders: Bidder[] = [{ kind: 'utility' }, { kind: 'fixed', multiplier: 1 }];
    const setting: Setting = { market, buckets, rules: { format: 'fpa' }, bidders };
    const start = new Float64Array(4).fill(1);
    const average = await averageOf(setting, start, createRng(1));
    const log = meanLog(average, 0);
    assert.ok(log >= Math.log(0.25) && log < Math.log(0.25) + 0.06, `${Math.exp(log)}`);
    const { curves, shares, idle } = average;
    let losing = 0;
    for (let bin = 0; bin < curves.bins; bin++) {
      if (curves.edges[bin] > 1.52) losing += shares[curves.bins + bin];
    }
    assert.ok(losing < 0.02, `${losing}`);
    for (let cell = 0; cell < 4; cell++) {
      let sum = idle[cell];
      for (let bin = 0; bin < curves.bins; bin++) sum += shares[cell * curves.bins + bin];
      assert.ok(Math.abs(sum - 1) < 1e-9);
    }
  });

  it('learns the price of a budget: multipliers fall until the budget suffices', async () => {
    const free = await averageOf(settingOf('gsp', 1), new Float64Array(6).fill(1), createRng(2));
    const before = await findMixedEquilibrium(settingOf('gsp', 1), quick);
    const budget = before.value.gap.advertisers[0].spend / 3;
    const bidders = Array.from({ length: 6 }, (_, i): Bidder => {
      return i === 0 ? { kind: 'value', budget } : { kind: 'value' };
    });
    const setting = settingOf('gsp', 1, bidders);
    const tight = await averageOf(setting, new Float64Array(6).fill(1), createRng(2));
    assert.ok(meanLog(tight, 0) < meanLog(free, 0) - 0.1);
    const { value } = await findMixedEquilibrium(setting, quick);
    const { spend } = value.gap.advertisers[0];
    assert.ok(spend <= budget * 1.0001 && spend > 0.9 * budget, `${spend} of ${budget}`);
  });
});

describe('findMixedEquilibrium by regret matching', () => {
  for (const format of ['fpa', 'gsp'] as const) {
    it(`ends as near to rest as fictitious play, about, in ${format}; the certificate is of the strategies alone`, async () => {
      const setting = settingOf(format, 4);
      const { value, certificate } = await findMixedEquilibrium(setting, quick);
      const { certificate: other } = await findMixedEquilibrium(setting, { iterations: 100, support: 16 });
      assert.ok(certificate.bound.value < 2 * other.bound.value, `${certificate.bound.value}`);
      assert.equal(certificate.assumptions[1].status, 'checked');
      assert.deepEqual(await mixedGap(setting, value.profile), value.gap);
    });
  }

  it('repeats with its seed, leaves bidders by rule alone, and knows its name', async () => {
    const bidders: Bidder[] = [
      { kind: 'fixed', multiplier: 0.8 },
      { kind: 'manual', bid: 0.5 },
      { kind: 'utility', budget: 5 },
      ...Array.from({ length: 3 }, (): Bidder => ({ kind: 'value' })),
    ];
    const setting = settingOf('fpa', 2, bidders);
    const options = { ...quick, iterations: 60 };
    const first = await findMixedEquilibrium(setting, options);
    assert.deepEqual(await findMixedEquilibrium(setting, options), first);
    const other = await findMixedEquilibrium(setting, { ...options, seed: 1 });
    assert.notDeepEqual(other.value.profile, first.value.profile);
    assert.deepEqual(
      first.value.gap.advertisers.slice(0, 2).map(({ regret }) => regret),
      [0, 0],
    );
    const method = 'regret' as 'regret-matching';
    await assert.rejects(findMixedEquilibrium(setting, { method }), /method is "regret"; expected one of/);
  });
});
