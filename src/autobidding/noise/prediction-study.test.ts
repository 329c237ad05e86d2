import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gammaTopicGenerator } from '../generators/gamma-topic-generator.ts';
import { uniformBuckets } from '../market/uniform-buckets.ts';
import type { Setting } from '../types.ts';
import { predictionStudy } from './prediction-study.ts';

const sigmas = [0, 0.4, 1.2];

function settingOf(options: Parameters<typeof gammaTopicGenerator>[0], rules: Setting['rules']): Setting {
  const { market } = gammaTopicGenerator(options);
  return { market, buckets: uniformBuckets(market), rules };
}

describe('predictionStudy', () => {
  it('evaluates with true values what was bid on predictions', async () => {
    const setting = settingOf({ auctions: 300, seed: 2 }, { format: 'fpa' });
    const points = await predictionStudy(setting, { sigmas });
    assert.deepEqual(
      points.map(({ sigma }) => sigma),
      sigmas,
    );
    const [exact, ...noisy] = points;
    // First price with one multiplier: everybody bids what it believes, gets it believed in full, and pays it.
    assert.ok(Math.abs(exact.outcome.welfare / exact.outcome.optimum - 1) < 1e-12);
    assert.equal(exact.missed, 0);
    for (const { outcome, believed, missed } of noisy) {
      assert.ok(Math.abs(outcome.profit / believed.profit - 1) < 1e-12);
      assert.ok(Math.abs(believed.welfare / believed.profit - 1) < 1e-9);
      assert.ok(outcome.welfare < outcome.optimum && missed > 0);
    }
    assert.ok(points[1].outcome.welfare > points[2].outcome.welfare);
  });

  it('shows better predictions helping the auctioneer where targets bind, and hurting where two bidders keep what they can', async () => {
    // Queries of one quality: what a bidder's own signal says of its value is all there is to know.
    const alike = { topics: 1, topicSpread: 0.3, queryShape: 1e4, queryScale: 1e-4 };
    const options = { ...alike, auctions: 800, participants: 2, discounts: [1], seed: 3 };
    const profits = async (setting: Setting) =>
      (await predictionStudy(setting, { sigmas })).map(({ outcome }) => outcome.profit);
    const setting = settingOf({ ...options, participants: 8 }, { format: 'vcg' });
    const binding = await profits(setting);
    assert.ok(binding[0] > binding[1] && binding[1] > binding[2], `value bidders: ${binding}`);
    // Truthful bids, price of the second: the more alike the two are believed to be, the higher.
    const thin = settingOf(options, { format: 'vcg' });
    const utility = await profits({ ...thin, bidders: Array(10).fill({ kind: 'utility' }) });
    assert.ok(utility[0] < utility[1] && utility[1] < utility[2], `utility bidders: ${utility}`);
  });

  it('refuses no σ and can be cancelled', async () => {
    const setting = settingOf({ auctions: 10 }, { format: 'fpa' });
    await assert.rejects(predictionStudy(setting, { sigmas: [] }), /sigmas is empty/);
    await assert.rejects(predictionStudy(setting, { sigmas: [-1] }), /sigma is -1/);
    const signal = AbortSignal.abort(new Error('enough'));
    await assert.rejects(predictionStudy(setting, { sigmas, signal }), /enough/);
  });
});
