import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gammaTopicGenerator } from '../generators/gamma-topic-generator.ts';
import { topicBuckets } from '../market/buckets.ts';
import { AUCTION_FORMATS, type Setting } from '../types.ts';
import { findMixedEquilibrium } from './find-mixed-equilibrium.ts';
import { mixedGap } from './mixed-gap.ts';

const generated = gammaTopicGenerator({ auctions: 300, advertisers: 6, participants: 4, topics: 4, seed: 5 });

function settingOf(format: Setting['rules']['format'], count: number): Setting {
  return { market: generated.market, buckets: topicBuckets(generated, count), rules: { format } };
}

const quick = { iterations: 60, support: 16 };

describe('findMixedEquilibrium', () => {
  for (const format of AUCTION_FORMATS) {
    it(`finds strategies of little regret in ${format}, far better than the start`, async () => {
      const setting = settingOf(format, 4);
      const { value, certificate } = await findMixedEquilibrium(setting, quick);
      const start = value.profile.map(() => ({
        weights: Float64Array.of(1),
        multipliers: new Float64Array(4).fill(1),
      }));
      const before = await mixedGap(setting, start);
      assert.ok(certificate.bound.value < before.meanRegretBound / 3, `${certificate.bound.value}`);
      assert.ok(value.gap.maxOverspend <= 1e-4);
      assert.equal(certificate.assumptions[1].status, 'checked');
      const { welfare, profit, optimum } = value.outcome;
      assert.ok(profit <= welfare * 1.0001 && welfare <= optimum);
      // The certificate is recomputed from the strategies alone.
      const again = await mixedGap(setting, value.profile);
      for (const [i, own] of again.advertisers.entries()) {
        const { value: got, spend, overspend } = value.gap.advertisers[i];
        assert.deepEqual([got, spend, overspend], [own.value, own.spend, own.overspend]);
      }
      // On a finer grid it is tighter, by at most what the grid of the search is wide.
      assert.ok(again.meanRegretBound <= value.gap.meanRegretBound + 1e-9);
      assert.ok(again.meanRegretBound >= value.gap.meanRegretBound - 1e-3);
    });
  }

  it('repeats with its seed, and depends on it', async () => {
    const setting = settingOf('fpa', 2);
    const first = await findMixedEquilibrium(setting, quick);
    assert.deepEqual(await findMixedEquilibrium(setting, quick), first);
    const other = await findMixedEquilibrium(setting, { ...quick, seed: 1 });
    assert.notDeepEqual(other.value.profile, first.value.profile);
  });

  it('starts where it is told and leaves the start alone', async () => {
    const setting = settingOf('fpa', 2);
    const start = new Float64Array(12).fill(0.5);
    const kept = start.slice();
    const options = { ...quick, iterations: 10 };
    const { value } = await findMixedEquilibrium(setting, { ...options, start });
    assert.deepEqual(start, kept);
    const ones = await findMixedEquilibrium(setting, { ...options, start: new Float64Array(12).fill(1) });
    assert.deepEqual(await findMixedEquilibrium(setting, options), ones);
    assert.notDeepEqual(value.profile, ones.value.profile);
  });

  it('refuses options out of range and stops at a signal', async () => {
    const setting = settingOf('fpa', 2);
    await assert.rejects(findMixedEquilibrium(setting, { iterations: 0 }), /iterations is 0/);
    await assert.rejects(findMixedEquilibrium(setting, { support: 0 }), /support is 0/);
    await assert.rejects(findMixedEquilibrium(setting, { spread: -1 }), /spread is -1/);
    await assert.rejects(findMixedEquilibrium(setting, { memory: 0 }), /memory is 0/);
    await assert.rejects(findMixedEquilibrium(setting, { start: new Float64Array(3) }), { code: 'SHAPE' });
    const controller = new AbortController();
    const running = findMixedEquilibrium(setting, {
      signal: controller.signal,
      onProgress: ({ done }) => {
        if (done >= 8) controller.abort(new Error('enough'));
      },
    });
    await assert.rejects(running, /enough/);
  });
});
