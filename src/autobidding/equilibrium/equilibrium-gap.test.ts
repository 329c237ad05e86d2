import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { poaInstance } from '../generators/poa-instance.ts';
import { provablyGenerator } from '../generators/provably-generator.ts';
import { topicBuckets } from '../market/buckets.ts';
import { createMarket } from '../market/create-market.ts';
import { uniformBuckets } from '../market/uniform-buckets.ts';
import { AUCTION_FORMATS, type AuctionFormat, type Buckets, type Setting } from '../types.ts';
import { equilibriumGap } from './equilibrium-gap.ts';

describe('equilibriumGap', () => {
  const instance = poaInstance(0.1);
  const play = (format: AuctionFormat, buckets: Buckets): Setting => ({
    market: instance.market,
    buckets,
    rules: { format },
    maxMultiplier: instance.maxMultiplier,
  });

  it('accepts the equilibria of the worst-case family', async () => {
    for (const format of ['gsp', 'vcg'] as const) {
      const gap = await equilibriumGap(play(format, instance.uniform), instance.uniformProfile);
      assert.equal(gap.maxRegretBound, 0);
      assert.equal(gap.maxOverspend, 0);
      const [a, b] = gap.advertisers;
      assert.ok(Math.abs((a.value + b.value) / instance.optimum - 0.55) < 1e-12);
    }
    const split = await equilibriumGap(play('fpa', instance.split), instance.splitProfile);
    assert.equal(split.maxRegretBound, 0);
    assert.equal(split.maxOverspend, 0);
  });

  it('refuses the first of them in first price, where it breaks the target', async () => {
    const gap = await equilibriumGap(play('fpa', instance.uniform), instance.uniformProfile);
    // A bids 11 times its values (1, 0.1), wins both and pays all of it for 1.1.
    assert.ok(Math.abs(gap.maxOverspend - 10) < 1e-9);
  });

  it('counts the thresholds at which bidding exactly could win some ties and lose others', async () => {
    const rows = { auction: [0, 0, 1, 1], advertiser: [0, 1, 0, 1] };
    for (const [values, shared] of [
      [[1, 2, 1, 2], 2],
      [[1, 2, 1, 3], 0],
    ] as const) {
      const market = createMarket({ ...rows, value: values }, { discounts: [1] });
      const setting: Setting = { market, buckets: uniformBuckets(market), rules: { format: 'gsp' } };
      const gap = await equilibriumGap(setting, Float64Array.of(1, 1));
      assert.equal(gap.sharedThresholds, shared);
    }
  });

  it('finds the deviation of whoever bids too little', async () => {
    for (const format of AUCTION_FORMATS) {
      const gap = await equilibriumGap(play(format, instance.uniform), Float64Array.of(0.5, 0));
      // Bidding its value, B wins the second auction.
      assert.equal(gap.advertisers[1].best, 1);
      assert.equal(gap.advertisers[1].regret, Infinity);
      assert.ok(gap.advertisers[1].deviation[0] > 0.05);
      assert.ok(Math.abs(gap.meanRegret - 1 / 1.1) < 1e-12);
    }
  });

  it('does not depend on the unit of money or on the names of advertisers', async () => {
    const generated = provablyGenerator({ auctions: 60, advertisers: 5, participants: 4, seed: 7 });
    const { market } = generated;
    const buckets = topicBuckets(generated, 4);
    for (const format of AUCTION_FORMATS) {
      const setting: Setting = { market, buckets, rules: { format } };
      const profile = Float64Array.from({ length: 20 }, (_, x) => 0.8 + ((x * 7) % 20) / 50);
      const plain = await equilibriumGap(setting, profile);
      const scaled = await equilibriumGap(
        { ...setting, market: { ...market, values: market.values.map((v) => 4 * v) } },
        profile,
      );
      assert.equal(scaled.meanRegret, plain.meanRegret);
      assert.equal(scaled.maxRegretBound, plain.maxRegretBound);
      const reversed = createMarket(
        {
          auction: Uint32Array.from(market.values, (_, e) => Math.floor(e / 4)),
          advertiser: market.advertiserOf.map((i) => 4 - i),
          value: market.values,
        },
        { discounts: market.discounts },
      );
      const mirrored = await equilibriumGap(
        {
          market: reversed,
          buckets: { count: 4, ofEntry: mirrorRows(buckets.ofEntry) },
          rules: { format },
        },
        Float64Array.from({ length: 20 }, (_, x) => profile[(4 - Math.floor(x / 4)) * 4 + (x % 4)]),
      );
      // Sums of 60 terms in another order.
      assert.ok(Math.abs(mirrored.meanRegret - plain.meanRegret) <= 1e-10);
      plain.advertisers.forEach((advertiser, i) => {
        assert.ok(Math.abs(advertiser.value - mirrored.advertisers[4 - i].value) <= 1e-12 * advertiser.value);
      });
    }
  });

  it('stands symmetric advertisers, one of whom wins every tie', async () => {
    const rows = { auction: [0, 0, 1, 1], advertiser: [0, 1, 0, 1], value: [2, 2, 2, 2] };
    const market = createMarket(rows, { discounts: [1] });
    const setting: Setting = { market, buckets: uniformBuckets(market), rules: { format: 'vcg' } };
    const gap = await equilibriumGap(setting, Float64Array.of(1, 1));
    assert.equal(gap.advertisers[0].value, 4);
    assert.equal(gap.advertisers[0].regretBound, 0);
    // The other could win both just above the tie, and pay exactly what they are worth.
    assert.equal(gap.advertisers[1].regret, Infinity);
    assert.equal(gap.advertisers[1].best, 4);
  });

  it('refuses profiles that cannot be bid', async () => {
    const setting = play('gsp', instance.uniform);
    await assert.rejects(
      equilibriumGap(setting, Float64Array.of(1, Number.NaN)),
      /multiplier of advertiser 1/,
    );
    await assert.rejects(equilibriumGap(setting, Float64Array.of(1)), /length 1; expected 2/);
    const signal = AbortSignal.abort(new Error('stop'));
    await assert.rejects(equilibriumGap(setting, instance.uniformProfile, { signal }), /stop/);
  });
});

/** Entries of each auction of four in reverse. */
function mirrorRows(ofEntry: Uint16Array): Uint16Array {
  return ofEntry.map((_, e) => ofEntry[4 * Math.floor(e / 4) + 3 - (e % 4)]);
}
