import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { whatIf } from '../equilibrium/what-if.ts';
import { provablyGenerator } from '../generators/provably-generator.ts';
import { topicBuckets } from '../market/buckets.ts';
import type { MixedProfile, Setting } from '../types.ts';
import { mixedGap } from './mixed-gap.ts';
import { mixedWhatIf } from './mixed-what-if.ts';

const generated = provablyGenerator({ advertisers: 4, auctions: 60, participants: 4, seed: 5 });
const K = 2;

function settingOf(format: Setting['rules']['format']): Setting {
  return { market: generated.market, buckets: topicBuckets(generated, K), rules: { format } };
}

describe('mixedWhatIf', () => {
  for (const format of ['fpa', 'gsp', 'vcg'] as const) {
    it(`agrees with whatIf where nobody mixes: ${format}`, () => {
      const setting = settingOf(format);
      const pure = Float64Array.from({ length: 4 * K }, (_, cell) => 0.7 + 0.083 * cell);
      const profile: MixedProfile = Array.from({ length: 4 }, (_, i) => ({
        weights: Float64Array.of(1),
        multipliers: pure.slice(i * K, (i + 1) * K),
      }));
      for (let i = 0; i < 4; i++) {
        const [mixed, plain] = [mixedWhatIf(setting, profile, i), whatIf(setting, pure, i)];
        for (const figure of ['value', 'spend'] as const) {
          assert.ok(Math.abs(mixed.now[figure] - plain.now[figure]) <= 1e-9 * plain.now.value);
          assert.ok(Math.abs(mixed.best[figure] - plain.best[figure]) <= 1e-6 * plain.best.value);
          mixed.curve.forEach((point, at) => {
            assert.ok(Math.abs(point[figure] - plain.curve[at][figure]) <= 1e-9 * plain.best.value);
          });
        }
      }
    });
  }

  it('finds now what the gap says, and no more than it bounds', async () => {
    const setting = settingOf('fpa');
    const profile: MixedProfile = Array.from({ length: 4 }, (_, i) => ({
      weights: Float64Array.of(0.25, 0.75),
      multipliers: Float64Array.of(0.81 + 0.01 * i, 0.93, 0.87, 0.99 - 0.013 * i),
    }));
    const gap = await mixedGap(setting, profile);
    for (const [i, { value, spend, bestBound }] of gap.advertisers.entries()) {
      const { now, best } = mixedWhatIf(setting, profile, i);
      assert.ok(Math.abs(now.value - value) <= 1e-9 * value);
      assert.ok(Math.abs(now.spend - spend) <= 1e-9 * value);
      assert.ok(best.value <= bestBound * (1 + 1e-9) && best.spend <= best.value * (1 + 1e-9));
    }
  });
});
