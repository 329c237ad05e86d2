import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runAuctions } from '../auction/run-auctions.ts';
import { provablyGenerator } from '../generators/provably-generator.ts';
import { topicBuckets } from '../market/buckets.ts';
import { AUCTION_FORMATS, type Setting } from '../types.ts';
import { whatIf } from './what-if.ts';

describe('whatIf', () => {
  const generated = provablyGenerator({ auctions: 200, seed: 9 });
  const settingOf = (format: (typeof AUCTION_FORMATS)[number]): Setting => ({
    market: generated.market,
    buckets: topicBuckets(generated, 2),
    rules: { format },
  });
  const profile = Float64Array.from({ length: 24 }, (_, x) => 0.9 + (x % 5) / 20);

  it('says what running the auctions says, at every factor and at the best response', async () => {
    for (const format of AUCTION_FORMATS) {
      const setting = settingOf(format);
      const { curve, best, now } = whatIf(setting, profile, 3, { factors: [0.7, 1, 1.31] });
      for (const { factor, value, spend } of curve) {
        const bid = profile.slice();
        bid[6] *= factor;
        bid[7] *= factor;
        const { totals } = await runAuctions(setting, bid);
        assert.ok(Math.abs(totals.value[3] - value) <= 1e-9 * value);
        assert.ok(Math.abs(totals.spend[3] - spend) <= 1e-9 * spend);
      }
      assert.deepEqual(curve[1], now);
      const bid = profile.slice();
      bid.set(best.multipliers, 6);
      const { totals } = await runAuctions(setting, bid);
      assert.ok(Math.abs(totals.value[3] - best.value) <= 1e-9 * best.value);
      assert.ok(totals.spend[3] <= totals.value[3] * (1 + 1e-8)); // just above a tie, in first price
    }
  });

  it('value and spend never fall as all multipliers rise', () => {
    for (const format of AUCTION_FORMATS) {
      const { curve } = whatIf(settingOf(format), profile, 0);
      assert.equal(curve.length, 41);
      for (let x = 1; x < curve.length; x++) {
        assert.ok(curve[x].value >= curve[x - 1].value && curve[x].spend >= curve[x - 1].spend);
      }
    }
  });

  it('answers for another goal, and refuses who is not there', () => {
    const setting = settingOf('vcg');
    const plain = whatIf(setting, profile, 1).best;
    const utility = whatIf(setting, profile, 1, { bidder: { kind: 'utility' } }).best;
    assert.ok(utility.value - utility.spend >= plain.value - plain.spend);
    assert.throws(() => whatIf(setting, profile, 12), /advertiser is 12/);
    assert.throws(() => whatIf(setting, profile, 1, { factors: [0] }), /factors\[0\] is 0/);
  });
});
